"""Failures of queries and pages of results, in Chinese; must not hold code."""

from __future__ import annotations

TEXTS: dict[str, str] = {
    # Warnings, which refuse nothing.
    "Terms side by side bind closer than OR: a b OR c is read as (a b) OR c.": (
        "并列的词项比 OR 结合更紧：a b OR c 理解为 (a b) OR c。"
    ),
    "Inside quotes * is punctuation, not a wildcard.": "引号内的 * 是标点，不是通配符。",
    "{}: a question mark stands for one character.": "{0}：问号代表一个字符。",
    "size:{} asks for exactly {} bytes; see larger:.": (
        "size:{0} 查找恰好 {1} 字节的邮件；另见 larger:。"
    ),
    "A kept query cannot be read.": "保存的查询无法读取。",
    "Run 'holdfast verify'.": "请运行“holdfast verify”。",
    "Create a new export.": "请创建新的导出。",
    "Whom an export is for cannot be read.": "无法读取此导出是为谁创建的。",
    "The expression has more than {} characters.": "表达式超过 {0} 个字符。",
    "RE2 does not take this expression: {}.": "RE2 不接受此表达式：{0}。",
    "Choose of {}.": "请从以下各项中选择：{0}。",
    "There is no sort {}.": "没有排序方式 {0}。",
    "Results cannot be collapsed by {}.": "结果不能按 {0} 归并。",
    "A page holds 0 to {} hits.": "每页可含 0 到 {0} 条结果。",
    "Start at the first page.": "请从第一页开始。",
    "The cursor belongs to another search.": "该游标属于另一次搜索。",
    "There is no facet {}.": "没有分面 {0}。",
    "A page holds 0 to {} values.": "每页可含 0 到 {0} 个值。",
    "The cursor cannot be read.": "无法读取该游标。",
    "Leave out brackets that are not needed, or split the query.": (
        "请去掉不必要的括号，或拆分查询。"
    ),
    "The query is nested more than {} levels deep.": "查询嵌套超过 {0} 层。",
    "Split the list.": "请拆分列表。",
    "The query has {} terms; at most {} are searched at once.": (
        "查询含 {0} 个词项；一次最多搜索 {1} 个。"
    ),
    "A distance of {} is too far; at most {} is searched.": "距离 {0} 过大；最多搜索 {1}。",
    "Search for both terms with AND.": "请用 AND 搜索两个词项。",
    "A fuzzy word may differ by at most {} letters.": "模糊词最多可相差 {0} 个字母。",
    "Lower the distance.": "请减小距离。",
    "The query has a control character.": "查询中含有控制字符。",
    "Type it again.": "请重新输入。",
    "No header field has a name longer than {} characters.": "邮件头字段名不会超过 {0} 个字符。",
    "Search for the field without words, or for other words.": (
        "请只搜索该字段而不带词语，或改用其他词语。"
    ),
    "The words of {} fields are not indexed; only that the field is there.": (
        "{0} 字段的词语未建索引，只能搜索该字段是否存在。"
    ),
    'For a folder write folder:"{}".': '搜索文件夹请写 folder:"{0}"。',
    "in: takes {}.": "in: 可用的值为 {0}。",
    "Signs alone are not searched; leave them out.": "单独的符号不参与搜索，请去掉。",
    "There is nothing to look for: no letter and no digit.": "没有可搜索的内容：既无字母也无数字。",
    '"…"~{} needs two or more words, with spaces between them.': (
        '"…"~{0} 需要两个或更多词语，之间用空格分开。'
    ),
    "The expression is empty.": "表达式为空。",
    'For words near each other write "a b"~5.': '搜索相邻的词语请写 "a b"~5。',
    "~ stands after one word of letters and digits.": "~ 应写在由字母和数字组成的单个词之后。",
    "~ takes 1 or 2 as its distance.": "~ 的距离只能是 1 或 2。",
    "A word for ~{} has {} to {} characters.": "用于 ~{0} 的词应为 {1} 到 {2} 个字符。",
    "* and ? stand within one word of letters and digits.": (
        "* 和 ? 应写在由字母和数字组成的单个词中。"
    ),
    "Put the text in quotes, or each word by itself.": "请给文本加上引号，或将每个词分开写。",
    "{}: takes a plain value.": "{0}: 需要一个普通值。",
    "{}: takes {}; not {}.": "{0}: 可用的值为 {1}；不能是 {2}。",
    "sha256: takes 64 hexadecimal digits.": "sha256: 需要 64 位十六进制数字。",
    "Name each value, with OR between them.": "请逐个写出各值，之间用 OR 连接。",
    "{}: takes a whole value, without wildcards.": "{0}: 需要完整的值，不能用通配符。",
    "{}: has no value.": "{0}: 没有值。",
    "Copy it from a result or a link.": "请从结果或链接中复制。",
    "hasattachment: takes true or false.": "hasattachment: 的值为 true 或 false。",
    "header: takes plain words, or words in quotes.": "header: 需要普通词语，或引号中的词语。",
    "The header field has nothing to look for.": "该邮件头字段没有可搜索的内容。",
    "The range ends before it begins.": "范围的结束早于开始。",
    "Write 2024-03-15, 2024-03, 2024, today, last-week or 上周.": (
        "请写 2024-03-15、2024-03、2024、today、last-week 或 上周。"
    ),
    "{} is no date.": "{0} 不是日期。",
    "{}: takes a time such as 2d, 3w, 6m, 1y or 7天.": "{0}: 需要时长，如 2d、3w、6m、1y 或 7天。",
    "Write bytes, or K, M or G of 1,024 each, as in larger:10M.": (
        "请写字节数，或以 1,024 进位的 K、M、G，如 larger:10M。"
    ),
    "{} is no size.": "{0} 不是大小。",
    "The query has more than {} characters.": "查询超过 {0} 个字符。",
    "The bracket {} is not closed.": "括号 {0} 没有闭合。",
    "More than {} brackets or negations are inside each other.": "括号或否定嵌套超过 {0} 层。",
    "No bracket is open that {} closes.": "{0} 没有对应的左括号。",
    "An operator stands inside the brackets of another.": "一个运算符写在了另一个运算符的括号内。",
    "Write {}:… or put it in quotes.": "请写 {0}:…，或加上引号。",
    "{} is not compared with {}.": "{0} 不能用 {1} 比较。",
    "Write header:x-mailer or header:x-mailer=outlook.": (
        "请写 header:x-mailer 或 header:x-mailer=outlook。"
    ),
    "header: needs the name of a header field.": "header: 需要邮件头字段名。",
    "Put the value in quotes.": "请给该值加上引号。",
    "{}: is followed by another operator.": "{0}: 后面紧跟着另一个运算符。",
    'Add a closing ", or drop it.': '请补上结尾的 "，或去掉它。',
    "The quote is not closed.": "引号没有闭合。",
    "After the quote, ~ needs a number of words.": "引号之后的 ~ 需要一个词数。",
    'As in "a b"~5.': '例如 "a b"~5。',
    'Write re:/…/, or put the text in quotes: "re: …".': '请写 re:/…/，或给文本加上引号："re: …"。',
    "re: needs an expression between slashes.": "re: 需要写在两个斜杠之间的表达式。",
    "The expression is not closed by a slash.": "表达式没有以斜杠结束。",
    "Leave {}: out.": "请去掉 {0}:。",
    "This archive keeps no {} yet, so {}: finds nothing.": (
        "此归档尚不保存{0:word}，因此 {1}: 找不到任何内容。"
    ),
    "{}: is no operator.": "{0}: 不是运算符。",
    '{}To look for the text itself, put it in quotes: "{}:…".': (
        '{0:word}要搜索这段文字本身，请加上引号："{1}:…"。'
    ),
    "in: says where the other words are looked for; it is no condition itself.": (
        "in: 说明其他词语在哪里查找，本身不是条件。"
    ),
    "All distances between words near each other must be the same.": (
        "相邻词语之间的距离必须都相同。"
    ),
    "As in subject:(a NEAR b).": "例如 subject:(a NEAR b)。",
    "Words near each other must be looked for in the same place.": "相邻的词语必须在同一位置查找。",
    "Too many alternatives stand near each other.": "相邻的备选项过多。",
    "NEAR stands between words, phrases, or alternatives of them in brackets.": (
        "NEAR 应写在词语、短语或括号中的备选项之间。"
    ),
    "Something must follow {}.": "{0} 后面必须有内容。",
    "Something must stand before {}.": "{0} 前面必须有内容。",
    'To look for the word itself, write "{}" in quotes.': '要搜索这个词本身，请写带引号的 "{0}"。',
    "{} must stand between two terms.": "{0} 必须写在两个词项之间。",
    "in: can stand only once in a query.": "一个查询中 in: 只能出现一次。",
    "This regular expression cannot be searched exactly, from character {} on.": (
        "此正则表达式从第 {0} 个字符起无法精确搜索。"
    ),
    "Words are matched whole: use letters, . [] () | * + ? {{}} \\d \\w.": (
        "词语按整词匹配：请使用字母、. [] () | * + ? {{}} \\d \\w。"
    ),
    "Lower the distance, list fewer phrases, or keep them in order (ONEAR).": (
        "请减小距离、减少短语，或保持其顺序（ONEAR）。"
    ),
    "This proximity has {} arrangements; at most {} are searched.": (
        "此邻近条件有 {0} 种排列；最多搜索 {1} 种。"
    ),
}
