"""Settings for a command, with what does not fit said in one line."""

from pydantic import ValidationError

from gateway.settings import Settings
from gateway.start import NotReady


def settings_from(given: dict[str, object]) -> Settings:
    """Settings from the environment and these values; NotReady names what does not fit."""
    try:
        return Settings(**given)  # type: ignore[arg-type]
    except ValidationError as error:
        places = ", ".join(f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in error.errors())
        raise NotReady(f"settings: {places}") from None
