"""Names of people, companies and housing estates."""

import itertools
import random
from collections.abc import Iterator

_SURNAMES = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡林郭何高罗郑梁谢宋唐许韩冯邓曹彭曾肖田董潘袁蔡蒋余于杜叶程魏苏吕丁任卢姚沈钟"
    "姜崔谭陆范汪廖石金韦贾夏付方邹熊白孟秦邱侯江尹薛闫段雷龙史陶贺毛郝顾龚邵万覃武钱戴严莫孔向常汤俞章楼鲍诸葛"
)
_GIVEN = (
    "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂英华玉兰萍红建国志海燕波辉斌宇浩凯健俊帆雪晨阳欣怡梓涵诗琪思远"
    "子轩文博雅婷佳慧晓东立新春梅永康嘉豪天佑"
)
_ESTATES = (
    "桂花", "金色", "南都", "嘉绿", "府苑", "紫荆", "星洲", "世纪", "白荡海", "高教", "湖畔", "山水", "翠苑", "古荡",
    "西溪", "竹海", "荷花", "香樟", "银杏", "绿城", "丹桂", "兰亭", "学林", "金都", "文华", "申花", "颐景", "锦绣",
    "云栖", "梧桐",
)  # fmt: skip
_ESTATE_KINDS = ("花园", "新村", "苑", "公寓", "家园", "名邸", "人家", "城")
_TRADES = ("贸易", "信息技术", "餐饮管理", "建筑设计", "物流", "医疗器械", "文化创意", "机械制造")


def person(rng: random.Random) -> str:
    """A person's name: one surname and one or two characters."""
    return rng.choice(_SURNAMES) + "".join(rng.choices(_GIVEN, k=rng.choice((1, 2, 2))))


def company(rng: random.Random, city: str) -> str:
    """A company's name."""
    return f"{city}{''.join(rng.choices(_GIVEN, k=2))}{rng.choice(_TRADES)}有限公司"


def estates(rng: random.Random) -> Iterator[str]:
    """Names of housing estates, none twice: first plain ones, then their second and later phases."""
    plain = [a + b for a in _ESTATES for b in _ESTATE_KINDS]
    rng.shuffle(plain)
    yield from plain
    for phase in itertools.count(2):
        yield from (f"{name}{phase}期" for name in plain)
