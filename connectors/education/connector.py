"""The education bureau: brings the student register and attendance, follows the leads."""

from connectors.base import Connector
from connectors.education.mapping import ATTENDANCE, STUDENT_REGISTER


class Education(Connector):
    """教育局, with the schools behind it."""

    agency = "education"
    title_zh = "教育局"
    title_en = "Education bureau"
    provides = (STUDENT_REGISTER, ATTENDANCE)
    asks = ("leads",)
    roles = ("registrar", "dropout_lead")
