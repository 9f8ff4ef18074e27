"""The education bureau: brings the student register and attendance, follows the leads."""

from connectors.base import Connector
from connectors.education.mapping import AID_PAYMENTS, ATTENDANCE, FOCUS_GROUPS, STUDENT_REGISTER


class Education(Connector):
    """教育局, with the schools behind it."""

    agency = "education"
    title_zh = "教育局"
    title_en = "Education bureau"
    provides = (STUDENT_REGISTER, ATTENDANCE, AID_PAYMENTS, FOCUS_GROUPS)
    asks = ("leads",)
    roles = ("registrar", "dropout_lead")
