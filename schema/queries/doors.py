"""Who may ask for a list at all; said before its rows are looked for."""

from domain.rules.errors import NotAllowed, NotSignedIn
from domain.rules.viewer import Viewer
from models.enums import Role


def signed_in(viewer: Viewer | None) -> Viewer:
    """Whoever is signed in; raises NotSignedIn."""
    if viewer is None:
        raise NotSignedIn
    return viewer


def officer(viewer: Viewer | None) -> Viewer:
    """Officers of the pools and of the province; raises NotSignedIn and NotAllowed."""
    found = signed_in(viewer)
    if not found.is_officer:
        raise NotAllowed
    return found


def staff(viewer: Viewer | None) -> Viewer:
    """Officers and administrators; raises as `officer`."""
    return _of(viewer, Role.LOCAL_OFFICER, Role.PROVINCIAL_OFFICER, Role.ADMINISTRATOR)


def administrator(viewer: Viewer | None) -> Viewer:
    """Administrators; raises as `officer`."""
    return _of(viewer, Role.ADMINISTRATOR)


def province(viewer: Viewer | None) -> Viewer:
    """Officers of the province; raises as `officer`."""
    return _of(viewer, Role.PROVINCIAL_OFFICER)


def _of(viewer: Viewer | None, *roles: Role) -> Viewer:
    found = signed_in(viewer)
    if found.role not in roles:
        raise NotAllowed
    return found
