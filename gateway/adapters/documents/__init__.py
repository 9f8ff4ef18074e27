"""Legal instruments as files: PDF by Typst with the font inside, DOCX by hand; and their wording from YAML."""
