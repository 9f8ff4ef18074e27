"""The education bureau: brings the student register, attendance and aid, follows the leads."""

from connectors.base import Connector
from connectors.education.mapping import AID_PAYMENTS, ATTENDANCE, FOCUS_GROUPS, STUDENT_REGISTER


class Education(Connector):
    """教育局, with the schools behind it."""

    agency = "education"
    title_zh = "教育局"
    title_en = "Education bureau"
    provides = (STUDENT_REGISTER, ATTENDANCE, AID_PAYMENTS, FOCUS_GROUPS)
    asks = ("leads", "aid-gap", "placement-advice")
    roles = ("registrar", "dropout_lead", "aid_officer", "placement_officer")
