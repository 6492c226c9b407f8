# 语言的名称
language-zh-CN = 简体中文
language-en = 英语
