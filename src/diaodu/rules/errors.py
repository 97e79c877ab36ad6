"""Refusals of the rules."""

from diaodu.kernel.errors import Rejected


class NoSuchDecision(Rejected):
    """404: no decision has this key."""

    code, status = "rules.no-such-decision", 404
    en = "There is no decision {key}."
    zh = "不存在规则 {key}。"


class NoSuchVersion(Rejected):
    """404: the decision has no such version."""

    code, status = "rules.no-such-version", 404
    en = "The decision {key} has no version {n}."
    zh = "规则 {key} 没有第 {n} 版。"


class NoDraft(Rejected):
    """404: nobody is working on this decision."""

    code, status = "rules.no-draft", 404
    en = "The decision {key} has no draft. Save one first."
    zh = "规则 {key} 没有草稿，请先保存草稿。"


class NotInForce(Rejected):
    """404: no version of the decision is in force at the instant."""

    code, status = "rules.not-in-force", 404
    en = "No version of the decision {key} is in force at {at}."
    zh = "规则 {key} 在 {at} 没有生效的版本。"


class BadKey(Rejected):
    """400: a key that FEEL could not call."""

    code, status = "rules.bad-key", 400
    en = (
        "{key} cannot be the key of a decision: it must be a name that FEEL can call, of one word, up to {limit} signs."
    )
    zh = "{key} 不能作为规则的键：须为 FEEL 可调用的单个名称，最多 {limit} 个字符。"


class Unreadable(Rejected):
    """400: a document that cannot be read at all; ``problems`` names every one."""

    code, status = "rules.unreadable", 400
    en = "The document cannot be read: {problems}"
    zh = "无法读取该文档：{problems_zh}"


class DraftChanged(Rejected):
    """409: somebody else has saved, or discarded, the draft meanwhile."""

    code, status = "rules.draft-changed", 409
    en = "The draft of {key} was changed by {by} meanwhile. Read it again and repeat your changes on it."
    zh = "规则 {key} 的草稿已被 {by} 修改，请重新读取后再修改。"


class NotPublishable(Rejected):
    """409: a draft with errors, overlaps or failing tests; ``problems`` names every one."""

    code, status = "rules.not-publishable", 409
    en = "The draft of {key} cannot be published: {problems}"
    zh = "规则 {key} 的草稿不能发布：{problems_zh}"


class GapsNotAccepted(Rejected):
    """409: inputs that no rule covers, and nobody has said that this is meant."""

    code, status = "rules.gaps-not-accepted", 409
    en = "The draft of {key} covers not every input: {problems} Add rules, or publish with the gaps accepted."
    zh = "规则 {key} 的草稿未覆盖全部输入：{problems_zh} 请补充规则，或在发布时明确接受空缺。"


class EffectiveInPast(Rejected):
    """400: what was decided already cannot be decided otherwise."""

    code, status = "rules.effective-in-past", 400
    en = "A version cannot take effect at {at}, which is past. Choose an instant from now on."
    zh = "生效时间 {at} 已过，请选择当前或以后的时间。"


class AlreadyInForce(Rejected):
    """409: a version that decides, or has decided, stays."""

    code, status = "rules.already-in-force", 409
    en = "Version {n} of {key} has been in force since {at} and cannot be withdrawn. Publish another version instead."
    zh = "规则 {key} 第 {n} 版已于 {at} 生效，不能撤回；请另行发布新版本。"


class NotExecutable(Rejected):
    """409: a version whose model cannot be evaluated."""

    code, status = "rules.not-executable", 409
    en = "Version {n} of {key} cannot be evaluated: {problems}"
    zh = "规则 {key} 第 {n} 版无法计算：{problems_zh}"


class ReplayTooWide(Rejected):
    """400: the history of the window is too large to be searched at once."""

    code, status = "rules.replay-too-wide", 400
    en = "Searching the history took more than {seconds} seconds. Choose a later start or a smaller limit."
    zh = "查找历史超过 {seconds} 秒，请选择较晚的起点或较小的数量。"


class TooLarge(Rejected):
    """400: more than one decision can hold."""

    code, status = "rules.too-large", 400
    en = "The decision has {what}: {given}; at most {limit} are allowed."
    zh = "规则的{what_zh}为 {given}，上限为 {limit}。"


class KeyMissing(Rejected):
    """400: a model with several decisions does not say which of them is meant."""

    code, status = "rules.key-missing", 400
    en = "Which decision is meant? The model holds: {names}. Name its key."
    zh = "无法确定规则的键：模型中有 {names}。请指定键。"


class NoWorkbook(Rejected):
    """400: bytes that cannot be opened as an Excel workbook, or one that is too large to be opened."""

    code, status = "rules.no-workbook", 400
    en = "The workbook cannot be opened: {reason}."
    zh = "无法打开工作簿：{reason_zh}。"


class BadWorkbook(Rejected):
    """400: a workbook with entries that say nothing clear; ``problems`` names every cell."""

    code, status = "rules.bad-workbook", 400
    en = "The workbook cannot be read: {problems}"
    zh = "无法读取工作簿：{problems_zh}"


class NotForWorkbook(Rejected):
    """400: a model with something that no workbook can hold."""

    code, status = "rules.not-for-workbook", 400
    en = "The model cannot be written as a workbook: {what}."
    zh = "该模型无法写成工作簿：{what_zh}。"
