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
    zh = "目录无法发布:{problems}"


class NoRelease(Rejected):
    """409: no release has been published yet."""

    code, status = "catalog.no-release", 409
    en = "No catalogue release is published. Run 'diaodu load' first."
    zh = "尚未发布目录版本。请先运行 diaodu load。"
