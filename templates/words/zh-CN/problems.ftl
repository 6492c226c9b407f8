# 拒绝与错误的文字：拒绝 problem-<代码>，其类别 kind-<类别>，字段 field-<代码>
kind-malformed = 请求无法读取
    .detail = 请求的格式有误，未作任何更改。
kind-unauthenticated = 请先登录
    .detail = 您尚未登录，或登录已失效。
kind-forbidden = 没有权限
    .detail = 您的账户没有做这件事的权限。需要时请联系 QA 或系统管理员。
kind-not-found = 没有找到
    .detail = 这里没有这个对象，或您不能查看它。
kind-conflict = 与当前状态冲突
    .detail = 记录当前的状态不允许这样做。请刷新后再看。
kind-stale = 内容已有更新
    .detail = 您打开之后，内容已被他人更改。请重新打开，再作修改。
kind-unconditional = 缺少 If-Match
    .detail = 请在 If-Match 中写明您所依据的版本。
kind-too-large = 内容过大
    .detail = 内容超过了可接收的长度。
kind-unsupported = 不支持的类型
    .detail = 这里不接收这种类型的内容。
kind-invalid = 有内容需要修改
    .detail = 请按所列的说明修改后再提交。
kind-locked = 请稍后再试
    .detail = 尝试过于频繁，或账户已被锁定。
kind-unavailable = 暂时不可用
    .detail = 没有写入任何内容，请稍后重试。
kind-internal = 系统出错
    .detail = 系统未能完成这一操作，错误已记入日志。
problem-invalid = 有内容需要修改
    .detail = 请按所列的说明修改后再提交。
problem-malformed-json = JSON 无法读取
    .detail = 第 { $line } 行第 { $column } 列附近不是有效的 JSON。
problem-duplicate-key = JSON 中有重复的键
    .detail = 第 { $line } 行第 { $column } 列附近，同一对象中有重复的键。
problem-nul = 含有 NUL 字符
    .detail = 文字中不得含有 NUL 字符。
problem-not-utf8 = 不是有效的 UTF-8
    .detail = 请以 UTF-8 编码发送。
problem-malformed-form = 表单无法读取
    .detail = 表单的编码有误，未作任何更改。
problem-malformed-request = 请求无法读取
    .detail = 请求的格式有误，未作任何更改。
problem-broken-off = 请求中断
    .detail = 请求在收完之前中断，未作任何更改。
problem-sign-in = 请先登录
    .detail = 您尚未登录，或因闲置已自动退出。
problem-bad-credentials = 用户名或密码不正确
    .detail = 请核对后再试。连续五次不正确，账户将锁定 15 分钟。
problem-must-change-password = 请先更改密码
    .detail = 初始密码只能用来设置您自己的密码。
problem-no-right = 没有权限
    .detail = 您的账户没有做这件事的权限。需要时请联系 QA 或系统管理员。
problem-password = 密码不正确
    .detail = 未签署，也未作任何更改。请重新输入您自己的密码；这次尝试已留痕。
problem-csrf = 表单已失效
    .detail = 本页打开的时间过长，或不是由本系统给出。请刷新页面后重新提交。
problem-origin = 来源不符
    .detail = 请求来自其他网站，已被拒绝。
problem-token-signs = API 令牌不能签署
    .detail = 签署须由本人登录后输入密码。
problem-own-version = 不能批准自己编制的版本
    .detail = 编制人不能审核或批准自己的文件，须由他人签署。
problem-not-in-force = 不是现行有效版本
    .detail = 您只能查看现行有效的文件。
problem-no-page = 没有这一页
    .detail = 这个地址下没有内容。请核对地址，或从首页进入。
problem-method-not-allowed = 不允许的方法
    .detail = 这个地址不接受此种请求方法。
problem-not-acceptable = 无法按所要的类型回答
    .detail = 请在 Accept 中写明可用的类型。
problem-already-exists = 已经存在
    .detail = 已有同一编号或名称的记录。
problem-stale-digest = 内容已有更改
    .detail = 您打开之后内容已有更改，未签署。请重新阅读后再签。
problem-already-signed = 您已签署过
    .detail = 本轮中每人只签署一次。
problem-out-of-order = 次序不符
    .detail = 须先完成前一步，例如全部审核人签署后才能批准。
problem-open-draft = 已有未完成的草稿
    .detail = 每份文件同时只能有一份草稿。请先完成或放弃它。
problem-wrong-state = 当前状态不允许
    .detail = 记录当前的状态不允许这样做。请刷新后再看。
problem-incomplete = 还有未填的内容
    .detail = 下列各项填齐后才能进行。
problem-already-filled = 该项已经填写
    .detail = 已填写的内容只能通过更正申请修改。
problem-idempotency-mismatch = Idempotency-Key 已用于另一请求
    .detail = 同一个键只能用于同一请求。
problem-idempotency-in-flight = 同一请求正在处理
    .detail = 请稍后以同一个键重试。
problem-idempotency-key = Idempotency-Key 无效
    .detail = 长度须为 1 至 128 个可打印字符。
problem-if-match-missing = 缺少 If-Match
    .detail = 请在 If-Match 中写明您所依据的摘要。
problem-if-match-stale = 内容已有更新
    .detail = 您打开之后，内容已被他人更改。请重新打开，再作修改。
problem-too-large = 内容过大
    .detail = 此处最多接收 { $most } 字节。
problem-entry-too-large = 内容过长
    .detail = 这一更改超过了审计追踪中单个条目的长度。请分次进行。
problem-unsupported-media = 不支持的类型
    .detail = 此处只接收 { $wanted }，请在 Content-Type 中注明。
problem-locked = 账户已锁定
    .detail = 连续多次不正确，账户已锁定 15 分钟。急需时请联系系统管理员。
problem-too-fast = 请求过于频繁
    .detail = 请稍后再试。
problem-lane-full = 写入繁忙
    .detail = 没有写入任何内容，请稍后重试。
problem-job-over = 任务已结束
    .detail = 该任务已经结束，不能再取消。
problem-job-called-off = 已取消
    .detail = 该任务已被取消，此前写入的内容仍然有效。
problem-lane-closed = 系统正在停止
    .detail = 没有写入任何内容，请稍后重试。
problem-database = 数据库暂时不可用
    .detail = 没有写入任何内容，请稍后重试。
problem-disk-full = 磁盘已满
    .detail = 没有写入任何内容。请腾出空间后重试。
problem-disk-read-only = 磁盘只读
    .detail = 没有写入任何内容。请以可写方式挂载，或改用其他文件夹。
problem-unavailable = 暂时不可用
    .detail = 没有写入任何内容，请稍后重试。
problem-internal = 系统出错
    .detail = 系统未能完成这一操作，错误已记入日志。
field-required = 请填写此项
field-too-long = 最多 { $most } 个字符
field-too-short = 太短
field-control-character = 含有不可用的控制字符
field-unknown-code = 不在可选的范围内
field-unknown-person = 没有这个账户
field-unknown-field = 没有这个字段
field-unknown-parameter = 此处没有这个参数
field-system-field = 此项由系统设定，不能提交
field-wrong-type = 类型不符
field-out-of-range = 超出范围
field-unacceptable = 此值不可用
field-not-a-date = 既不是日期（如 2026-12-31），也不是时刻（RFC 3339，如 2026-12-31T09:30:00+08:00）
field-not-a-day = 不是有效日期；请写成年-月-日，如 2026-12-31
field-not-an-instant = 不是有效时刻；请按 RFC 3339 带时差填写，如 2026-12-31T09:30:00+08:00
field-not-an-instant-here = 不是有效时刻；请填日期和时间，如 2026-12-31 09:30，或按 RFC 3339 带时差，如 2026-12-31T09:30:00+08:00
field-not-a-number = 不是有效的数量，最多 6 位小数
field-in-past = 不能早于现在
field-in-future = 不能晚于现在
field-duplicate = 重复
field-malformed = 格式不符
field-cursor = 不是本列表给出的位置
field-password = 密码不正确
field-same-password = 新密码与旧密码相同
field-weak-password = 密码过短或过于常见
field-not-found = 没有这个对象
field-missing = 缺少此项
field-database-url = 不是可用的数据库地址
problem-not-found = 没有找到
    .detail = 没有找到{ $kind ->
        [epoch] 纪元
        [key] 密钥
        [document] 文件
        [version] 版本
        [order] 订单
        [deviation] 偏差
        [recall] 召回
        [complaint] 投诉
        [capa] CAPA
        [user] 账户
        [account] 账户
        [link] 关联
        [entry] 条目
        [content] 内容
        [job] 任务
        [correction] 更正申请
        [pack] 证据包
       *[other] 这个对象
    } { $id }。
problem-not-a-demo = 不是演示环境
    .detail = 该处的系统保存的是真实记录。请指定另一个文件夹或数据库。
problem-import-rejected = 未全部导入
    .detail = 被拒绝：{ $count }。已导入的有效，请更正其余部分后重新导入。
