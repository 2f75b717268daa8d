"""Says what the columns of a table mean, by a saved mapping or by their headers in zh and en."""

from __future__ import annotations

import re
from collections.abc import Sequence

from holdfast.parsers.column_meanings import Meanings, by_alias

_NAMES = {
    "id": "id key recordid activityid msgid messageid 编号 记录编号 流水号 单号 工单号 订单号",
    "ordinal": "ordinal rownumber rowno 序号 行号",
    "at": "at time date datetime timestamp createdat sentat starttime calltime visitdate when"
    " 时间 日期 发送时间 呼叫时间 通话时间 拜访日期 拜访时间 沟通时间 联系时间 开始时间 创建时间",
    "end": "end endtime finishedat 结束时间",
    "kind": "kind type activitytype channeltype 类型 种类 沟通方式 方式 联系方式类型",
    "direction": "direction calltype inout 方向 呼叫方向 收发",
    "subject": "subject title topic 主题 标题 事由",
    "body": "body text content message summary notes note description comment remark 内容 正文 纪要"
    " 备注 沟通内容 摘要 详情 消息内容 拜访纪要 说明",
    "from": "from sender caller callerid 发送人 发件人 主叫 主叫号码 来电号码 发送者",
    "to": "to recipient receiver callee called 接收人 收件人 被叫 被叫号码 接收者",
    "contact": "contact contactname customercontact 联系人 客户联系人 联系人姓名 姓名",
    "company": "company account customer organisation organization 客户 客户名称 公司 单位",
    "phone": "phone mobile tel telephone phonenumber 电话 手机 手机号 手机号码 联系电话 电话号码",
    "email": "email mail emailaddress 邮箱 邮件 电子邮箱 邮件地址",
    "wecom": "wecom wecomid externaluserid 企业微信 企业微信号 外部联系人id",
    "owner": "owner agent salesperson assignedto staff user 负责人 坐席 坐席工号 拜访人 业务员"
    " 跟进人 销售 经办人 客服",
    "duration": "duration durations callduration seconds 时长 通话时长 通话时长秒 持续时间",
    "result": "result status outcome disposition 结果 状态 通话结果",
    "place": "place location address 地点 地址 位置",
    "next_at": "nextat nextdate followup followupdate 下次跟进 下次跟进时间 下次联系 下次联系时间",
    "demand": "demand need requirement 需求 客户需求",
    "recording": "recording recordingfile 录音 录音文件",
    "room": "room conversation group chat channelname 群 群名 会话 群聊 聊天室",
}
FIELDS = frozenset(_NAMES)
"""What a column can mean."""
_MEANINGS = Meanings(by_alias(_NAMES), re.compile(r"[\W_]+"))
field_of = _MEANINGS.field_of
columns_of = _MEANINGS.columns_of


def is_table(headers: Sequence[str]) -> bool:
    """Tell whether headers are those of records: when, and who or what."""
    fields = set(columns_of(headers, {}).values())
    people = fields & {"from", "to", "contact", "phone", "email", "wecom", "company", "room"}
    return "at" in fields and bool(people | (fields & {"body", "subject"})) and len(fields) >= 3
