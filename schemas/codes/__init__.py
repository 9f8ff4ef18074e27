"""Code lists: administrative regions (`region`) and the small tables of the record types (`tables`)."""
