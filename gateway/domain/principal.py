"""Who is asking: the identity every decision is taken for and every audit entry names."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Principal:
    """A caller whose token was verified.

    `role` is the full id `agency/role`; `region` a short region code (53, 5304, 530423, 530423100 …): the caller's
    reach is that region and everything below. `school` is the school code of a class teacher. `client` is the
    registered client; `officer` the person behind it when a person logged in.
    """

    client: str
    agency: str
    role: str
    region: str
    school: str | None = None
    officer: str | None = None

    @property
    def name(self) -> str:
        """Who is written down as having done something: the officer, or the client where none is named."""
        return self.officer or self.client

    @property
    def person(self) -> str:
        """Whom limits count and approvals tell apart: the officer, or the client where no person is named."""
        return f"{self.client}/{self.officer}" if self.officer else self.client
