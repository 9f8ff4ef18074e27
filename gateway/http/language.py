"""Chinese or English, by Accept-Language (RFC 9110 §12.5.4); Chinese where nothing is said."""


def language(accept: str | None) -> str:
    """``zh`` or ``en``: whichever the header prefers."""
    best, weight = "zh", 0.0
    for part in (accept or "").split(","):
        tag, _, parameters = part.strip().partition(";")
        found = {"zh": "zh", "en": "en", "*": "zh"}.get(tag.strip().lower().split("-")[0])
        quality = _quality(parameters)
        if found is not None and quality > weight:
            best, weight = found, quality
    return best


def _quality(parameters: str) -> float:
    name, _, value = parameters.strip().partition("=")
    if name.strip() != "q":
        return 1.0
    try:
        return float(value)
    except ValueError:
        return 0.0
