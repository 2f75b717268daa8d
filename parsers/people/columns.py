"""Says what the columns of a table of people mean, by a mapping or by headers in zh and en."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from holdfast.parsers.column_meanings import Meanings, by_alias

_NAMES = {
    "name": "name fullname displayname contact contactname 姓名 名字 名称 联系人 联系人姓名"
    " 客户姓名 全名 显示名",
    "family": "lastname surname familyname 姓 姓氏",
    "given": "firstname givenname forename 名",
    "email": "email mail emailaddress emailvalue workemail businessemail privateemail homeemail"
    " otheremail emails 邮箱 邮件 电子邮件 电子邮箱 邮箱地址 邮件地址 电子邮件地址 工作邮箱"
    " 企业邮箱 个人邮箱 备用邮箱",
    "phone": "phone mobile tel telephone phonenumber mobilephone mobilenumber cell cellphone"
    " phonevalue workphone businessphone homephone otherphone phones 电话 手机 手机号 手机号码 座机"
    " 联系电话 电话号码 移动电话 办公电话 工作电话 公司电话 备用电话",
    "company": "company account organisation organization organizationname companyname employer"
    " accountname 公司 单位 企业 公司名称 单位名称 企业名称 客户名称 所属公司 工作单位",
    "title": "title jobtitle position organizationtitle 职务 职位 头衔 岗位 职称",
    "owner": "owner agent salesperson assignedto accountowner contactowner 负责人 跟进人"
    " 业务员 销售 所有者 客户经理 归属人 所属人",
    "group": "group groups category categories tag tags label labels groupmembership 分组 组 组别"
    " 群组 标签 类别",
    "grade": "grade level rank rating tier 等级 级别 客户等级 客户级别 评级 星级",
    "party_type": "partytype contacttype customertype 客户类型 联系人类型 往来类型",
    "source": "source leadsource origin 来源 客户来源 线索来源 渠道",
    "external_id": "externalid customerid customerno customernumber accountid contactid crmid"
    " recordid 客户编号 编号 客户号 客户代码 联系人编号 外部编号 外部id",
    "wecom": "wecom wecomid externaluserid wxwork 企业微信 企业微信号 企业微信id 外部联系人id",
    "wechat": "wechat wechatid weixin wxid 微信 微信号",
    "dingtalk": "dingtalk dingtalkid 钉钉 钉钉号 钉钉id",
    "feishu": "feishu feishuid lark larkid 飞书 飞书号 飞书id",
    "qq": "qq qq号 qq号码",
    "slack": "slack slackid",
    "teams": "teams msteams teamsid",
    "telegram": "telegram telegramid",
    "whatsapp": "whatsapp whatsappid",
    "skype": "skype skypeid",
    "note": "note notes remark remarks comment comments memo 备注 说明 附注",
}
FIELDS = frozenset(_NAMES)
"""What a column can mean."""
CHATS = frozenset(
    ("wecom", "wechat", "dingtalk", "feishu", "qq", "slack", "teams", "telegram", "whatsapp")
) | {"skype"}
"""Fields that are what a system calls somebody, under the system's own name."""
ADDRESSES = CHATS | {"email", "phone", "external_id"}
"""Fields by which somebody is known; several columns may mean one of them."""
# A number behind a header tells only which of several it is: `E-mail 2`.
_MEANINGS = Meanings(by_alias(_NAMES), re.compile(r"[\W_\d]+"), ADDRESSES | {"group"})
field_of = _MEANINGS.field_of
columns_of = _MEANINGS.columns_of


def is_directory(headers: Sequence[str], mapping: Mapping[str, str]) -> bool:
    """Tell whether headers are those of people: an address, and a second thing or a decision."""
    fields = list(columns_of(headers, mapping).values())
    is_decided = bool(mapping) and set(mapping) <= set(headers)
    return bool(ADDRESSES & set(fields)) and (len(fields) > 1 or is_decided or len(headers) == 1)
