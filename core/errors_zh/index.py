"""Failures of the index and Elasticsearch, in Chinese; must not hold code."""

from __future__ import annotations

TEXTS: dict[str, str] = {
    "Elasticsearch answered a bulk request by half.": "Elasticsearch 只应答了批量请求的一部分。",
    "Run 'holdfast doctor'.": "请运行“holdfast doctor”。",
    "Elasticsearch stayed busy: {}.": "Elasticsearch 一直繁忙：{0}。",
    "Look at the cluster's load; indexing goes on by itself.": "请检查集群负载；索引会自行继续。",
    "Elasticsearch refuses a document whatever is left out of it: {}.": (
        "无论省去哪些内容，Elasticsearch 都拒绝某个文档：{0}。"
    ),
    "Run 'holdfast doctor'; the document stays queued.": (
        "请运行“holdfast doctor”；该文档仍在队列中。"
    ),
    "A part of the index is gone from Elasticsearch: {}.": (
        "Elasticsearch 中索引的一部分已丢失：{0}。"
    ),
    "It is made again from the archive; nothing is lost.": "将由归档重新生成，不会丢失任何内容。",
    "Correct index.ca_file.": "请更正 index.ca_file。",
    "There is no certificate in {}.": "{0} 中没有证书。",
    "Correct index.url and index.ca_file; as in http://127.0.0.1:9200.": (
        "请更正 index.url 和 index.ca_file；例如 http://127.0.0.1:9200。"
    ),
    "The address of Elasticsearch cannot be used: {}.": "Elasticsearch 的地址无法使用：{0}。",
    "Run Elasticsearch {}, or the release of Holdfast for yours.": (
        "请运行 Elasticsearch {0}，或使用与您的版本对应的 Holdfast。"
    ),
    "The server is Elasticsearch {}, our client is of version {}.": (
        "服务器是 Elasticsearch {0}，我们的客户端版本是 {1}。"
    ),
    "Check the cluster and the network; the work goes on by itself.": (
        "请检查集群和网络；工作会自行继续。"
    ),
    "Elasticsearch did not answer as it should while {}: {}.": (
        "Elasticsearch 在{0:word}时未正常应答：{1}。"
    ),
    "Elasticsearch takes no more: the disk of a node is full (flood-stage watermark).": (
        "Elasticsearch 不再接收内容：有节点的磁盘已满（flood-stage 水位）。"
    ),
    "Free or add disk space; the block goes by itself and indexing goes on.": (
        "请释放或增加磁盘空间；限制会自动解除，索引会继续。"
    ),
    "Take away index.blocks.read_only and index.blocks.write; indexing goes on.": (
        "请去掉 index.blocks.read_only 和 index.blocks.write；索引会继续。"
    ),
    "The index in Elasticsearch is set to read-only.": "Elasticsearch 中的索引被设为只读。",
    "Elasticsearch cannot answer now, while {}: {}.": (
        "Elasticsearch 在{0:word}时暂时无法应答：{1}。"
    ),
    "Look at the cluster's health; the same request may succeed later.": (
        "请检查集群状态；稍后重复同一请求可能成功。"
    ),
    "Elasticsearch refuses, while {}: {}.": "Elasticsearch 在{0:word}时拒绝：{1}。",
    "The index has no part for {}.": "索引没有对应 {0} 的部分。",
    "Run `holdfast reindex --full`; nothing is lost, the index is made from the archive.": (
        "请运行 `holdfast reindex --full`；不会丢失任何内容，索引由归档生成。"
    ),
    "The index was made by another version of Holdfast.": "索引由另一版本的 Holdfast 生成。",
    "They are made again from the archive; nothing is lost.": (
        "将由归档重新生成，不会丢失任何内容。"
    ),
    "{} part(s) of the index are gone from Elasticsearch, first {}.": (
        "Elasticsearch 中索引有 {0} 个部分已丢失，第一个是 {1}。"
    ),
    "Elasticsearch answered for a part of the index only.": (
        "Elasticsearch 只就索引的一部分作了应答。"
    ),
    "Look at the cluster's health; the same search may succeed later.": (
        "请检查集群状态；稍后重复同一搜索可能成功。"
    ),
    "Elasticsearch made only a part of what was indexed visible.": (
        "Elasticsearch 只让一部分已索引的内容可见。"
    ),
    "Look at the cluster's health; indexing goes on by itself.": "请检查集群状态；索引会自行继续。",
    "Shorten the pattern.": "请缩短该模式。",
    "This pattern is too large for the index to walk.": "该模式过大，索引无法遍历。",
    "The folder of the index holds something else.": "索引文件夹中是别的内容。",
    "The index's version cannot be read.": "无法读取索引的版本。",
    "The index cannot be opened: {}.": "无法打开索引：{0}。",
    "Free some space; indexing goes on by itself.": "请释放一些空间；索引会自行继续。",
    "The index could not be written: {}.": "无法写入索引：{0}。",
    "The index cannot answer this exactly: {}.": "索引无法精确回答此查询：{0}。",
    "Use a longer phrase, or a pattern that fits fewer words.": (
        "请使用更长的短语，或匹配词语更少的模式。"
    ),
    "Another process is writing to the index.": "另一进程正在写入索引。",
    "Wait until it has finished; only one may write at a time.": (
        "请等待其完成；同一时间只能有一个写入者。"
    ),
    "Another rebuild began while this one ran, and took its place.": (
        "在此次重建期间，另一次重建开始并取代了它。"
    ),
    "Let that one finish, or run 'holdfast reindex --full' again.": (
        "请让那一次完成，或再次运行“holdfast reindex --full”。"
    ),
    "Search again later; the originals and the catalogue are whole.": (
        "请稍后再搜索；原件和目录完好无损。"
    ),
    "The index was lost and is being made again: {} % of it is there.": (
        "索引已丢失，正在重新生成：已完成 {0} %。"
    ),
    "Repeat when less is filed.": "请在归档较少时重复。",
    "The index changes too fast for what was removed to be cleared out of it.": (
        "索引变化过快，无法清除已移除的内容。"
    ),
    "Elasticsearch does not know this user and password. ({})": (
        "Elasticsearch 不认识此用户和密码（{0:word}）。"
    ),
    "Elasticsearch takes no more: the disk of a node is full (flood-stage watermark). ({})": (
        "Elasticsearch 不再接收内容：有节点的磁盘已满（flood-stage 水位）（{0:word}）。"
    ),
    "The index in Elasticsearch is set to read-only. ({})": (
        "Elasticsearch 中的索引被设为只读（{0:word}）。"
    ),
    "The user of Elasticsearch may not do this. ({})": (
        "Elasticsearch 的该用户无权执行此操作（{0:word}）。"
    ),
    "What answers is not Elasticsearch. ({})": "应答的不是 Elasticsearch（{0:word}）。",
    "The connection to Elasticsearch cannot be trusted: {}. ({})": (
        "与 Elasticsearch 的连接不可信任：{0}（{1:word}）。"
    ),
    "Elasticsearch did not answer in time. ({})": "Elasticsearch 未及时应答（{0:word}）。",
    "Elasticsearch cannot be reached: {}. ({})": "无法连接 Elasticsearch：{0}（{1:word}）。",
    "Correct index.user and index.password.": "请更正 index.user 和 index.password。",
    "Give the user the rights to manage indices that begin with index.prefix.": (
        "请授予该用户管理以 index.prefix 开头的索引的权限。"
    ),
    "Correct index.url; OpenSearch and proxies that hide the product header are not taken.": (
        "请更正 index.url；不接受 OpenSearch 和隐藏产品头的代理。"
    ),
    "Name the certificate that signed the server's in index.ca_file, and check the host name.": (
        "请在 index.ca_file 中指定签发服务器证书的证书，并检查主机名。"
    ),
    "Look at the cluster's load; the work goes on by itself.": "请检查集群负载；工作会自行继续。",
    "Check that it runs and that index.url names it; the work goes on by itself.": (
        "请检查它是否运行、index.url 是否指向它；工作会自行继续。"
    ),
}
