# Names of languages
language-zh-CN = Simplified Chinese
language-en = English
