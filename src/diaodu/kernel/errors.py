"""Refusals: one class per case, a stable code, both languages beside each other, rendered once at the edge."""

from typing import Any, ClassVar


class Rejected(Exception):
    """A business refusal: expected, typed, told to the user in plain words; anything else that is raised is a bug.

    Subclasses set ``code`` (stable, ``room.case``), ``status`` (HTTP) and the templates ``en`` and ``zh``; the
    keyword arguments fill both templates and stay readable as ``params``.
    """

    code: ClassVar[str] = "kernel.rejected"
    status: ClassVar[int] = 400
    en: ClassVar[str] = "The request was refused."
    zh: ClassVar[str] = "请求被拒绝。"

    def __init__(self, **params: Any) -> None:
        self.params = params
        super().__init__(f"{self.code}: {self.message('en')}")

    def message(self, language: str) -> str:
        """The refusal in ``zh`` or ``en``."""
        template = self.zh if language == "zh" else self.en
        return template.format(**self.params)


class NotAllowed(Rejected):
    """403: the principal lacks the right."""

    code, status = "access.not-allowed", 403
    en = "You may not {action}: the right {right} is missing."
    zh = "无权执行{action}:缺少权限 {right}。"


class NotAuthenticated(Rejected):
    """401: no token, or one that is unknown, expired or revoked."""

    code, status = "access.not-authenticated", 401
    en = "No valid API token was sent. Send 'Authorization: Bearer <token>'."
    zh = "未提供有效的接口令牌。请发送 “Authorization: Bearer <令牌>”。"


class NotFound(Rejected):
    """404: no such entity, or none that the principal may see."""

    code, status = "kernel.not-found", 404
    en = "There is no {entity} with id {id}."
    zh = "不存在编号为 {id} 的{entity}。"


class Conflict(AssertionError):
    """A set statement changed another number of rows than expected: a broken invariant, never a business case."""
