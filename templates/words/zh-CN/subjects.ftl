# 账本的对象如何称呼，一律由 people/subjects.rs 取用
subject-account = 账户 { $id }
subject-anchor = 时间戳 { $id }
subject-batch = 批号 { $id }
subject-copy-of = 受控副本 { $id } 第 { $part } 号
subject-deviation = 偏差 { $id }
subject-disposal = 销毁单 { $id }
subject-document = 文件 { $id }
subject-document-of = 文件 { $id } V{ $part }
subject-erasure = 个人信息删除 { $id }
subject-hold = 法律保全 { $id }
subject-link = 关联 { $id }
subject-order = 订单 { $id }
subject-pack = 证据包 { $id }
subject-recall = 召回 { $id }
subject-setting = 设置“{ $id }”
