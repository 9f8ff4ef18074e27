"""Where each dataset's facts stand: table, key columns beside county and child, content columns."""

TABLES: dict[str, tuple[str, tuple[str, ...], tuple[str, ...]]] = {
    "student-register": (
        "student_register",
        (),
        (
            "school_code",
            "grade",
            "boarding",
            "status",
            "status_date",
            "residence",
            "economic_hardship",
            "left_behind",
            "single_parent",
            "sex",
            "birth_date",
            "has_id",
        ),
    ),
    "attendance": ("attendance", ("month",), ("days_expected", "days_absent", "longest_absence", "excused")),
    "relief-register": ("relief_register", ("relief_class", "from_date"), ("to_date", "residence")),
    "disability-assessment": (
        "disability_assessment",
        ("assessed_on",),
        ("category", "grade", "suitability", "residence", "assessor", "needs_support"),
    ),
    "sightings": ("sighting", ("inspection_id",), ("inspected_on",)),
    "aid-payments": ("aid_payment", ("term", "scheme", "paid_on"), ("amount",)),
    "focus-groups": ("focus_group", ("focus", "from_date"), ("to_date",)),
}
"""By dataset: (table, further key columns, content columns)."""
