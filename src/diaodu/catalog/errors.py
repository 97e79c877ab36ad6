"""Refusals of the catalogue."""

from diaodu.kernel.errors import Rejected


class UnknownOffering(Rejected):
    """400: the catalogue has no such offering."""

    code, status = "catalog.unknown-offering", 400
    en = "The offering {offering} is not in the catalogue. Offered are: {offered}."
    zh = "目录中没有销售品 {offering}。可选:{offered}。"


class BadCatalogue(Rejected):
    """400: catalogue data that cannot be published; names every problem found."""

    code, status = "catalog.not-publishable", 400
    en = "The catalogue cannot be published: {problems}"
    zh = "目录无法发布：{problems_zh}"


class WorkNotDrawn(Rejected):
    """400: plans of this catalogue would need work that the process does not know."""

    code, status = "catalog.work-not-drawn", 400
    en = "The stage of process {process} does not draw these kinds of work of the catalogue: {kinds}. Draw them."
    zh = "流程 {process} 的施工环节缺少目录中的工作类型：{kinds}。请在流程图中补画。"


class NoRelease(Rejected):
    """409: no release has been published yet."""

    code, status = "catalog.no-release", 409
    en = "No catalogue release is published. Run 'diaodu load' first."
    zh = "尚未发布目录版本。请先运行 diaodu load。"


class SectionUnknown(Rejected):
    """404: the catalogue has no such section."""

    code, status = "catalog.section-unknown", 404
    en = "The catalogue has no section {section}. There are: {known}."
    zh = "目录中没有分区 {section}。现有：{known}。"


class EntryUnknown(Rejected):
    """404: the section has no such entry."""

    code, status = "catalog.entry-unknown", 404
    en = "Section {section} of the catalogue has no entry {id}."
    zh = "目录分区 {section} 中没有条目 {id}。"


class EffectiveInThePast(Rejected):
    """400: a change must not reach back."""

    code, status = "catalog.effective-in-the-past", 400
    en = "{at} is past. Leave the instant out to let the change take effect now, or name one to come."
    zh = "生效时间 {at} 已过。请省略该时间以立即生效，或指定将来的时间。"
