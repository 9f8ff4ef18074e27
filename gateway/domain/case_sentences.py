"""What was done with a child's case, as the guardian reads it (`gateway.domain.disclosure`): by the step, never by its words."""

from collections.abc import Mapping

CASES: Mapping[str, tuple[str, str]] = {
    "": ("查看了包含该儿童的个案列表", "read a list of cases with this child's"),
    "read": ("查看了该儿童的个案", "read this child's case"),
    "verify": ("核实了该儿童的辍学情况", "verified whether this child has dropped out"),
    "persuade": ("为该儿童制定了一人一策", "made a plan for this child's return"),
    "notify": ("记录了限期复学通知书的送达", "recorded that an order to return was served"),
    "sanction": ("记录了对监护人的催告或处罚", "recorded a reminder or sanction of the guardian"),
    "refer": ("将该儿童的个案移送司法", "referred this child's case to justice"),
    "resume": ("在司法办结后继续劝返", "went on persuading after justice had done its part"),
    "return": ("记录了该儿童复学", "recorded that this child returned to school"),
    "observe": ("记录了该儿童的安置并开始观察", "recorded this child's placement; observation began"),
    "confirm": ("确认了该儿童在观察期到课", "confirmed that this child attends school"),
    "close": ("将该儿童的个案销号", "closed this child's case"),
    "relapse": ("记录了该儿童再次辍学", "recorded that this child dropped out again"),
    "exempt": ("记录了该儿童获准缓学或免学", "recorded an approved deferral or exemption"),
    "move": ("记录了该儿童转往外县并由接收县确认", "recorded that another county took this child over"),
    "graduate": ("记录了该儿童毕业", "recorded that this child graduated"),
    "decease": ("记录了该儿童死亡", "recorded that this child died"),
    "merge": ("将该儿童的个案并入另一个案", "merged this child's case into another"),
    "unmerge": ("撤销了该儿童个案的合并", "undid the merger of this child's case"),
    "dismiss": ("认定该儿童的个案为误报", "found this child's case a wrong report"),
    "reopen": ("重新打开了该儿童的个案", "opened this child's case again"),
    "placed": (
        "按学籍更新了该儿童个案的住址和学校",
        "moved this child's case to the place and school that the register names",
    ),
    "visit": ("登记了对该儿童家庭的动员", "recorded a visit to this child's family"),
    "plan": ("修订了该儿童的一人一策", "revised the plan for this child's return"),
    "comment": ("在该儿童的个案中添加了备注", "added a comment to this child's case"),
}
