"""What venues, files and people may call things, to be put wherever words of others enter a text of ours."""

HOSTILE = {
    "a tag": "<b>x",
    "a closed tag": "</pre></b><script>",
    "an entity": "A&B&lt;&nbsp;",
    "markdown": "_*[x](y)~`>#+-=|{}.!\\",
    "right to left": "\u202egnp.exe\u2067",
    "another script": "币安人生",
    "emoji": "🔥👨‍👩‍👧🇩🇪" * 20,
    "nothing to be seen": "\u200b\u2060",
    "a null byte": "a\x00b\x1b[31m",
    "half a pair": "\ud83d",
    "5,000 letters": "W" * 5_000,
    "5,000 beyond the plane": "🔥" * 5_000,
    "5,000 to be escaped": "<" * 5_000,
    "lines": "a\nb\r\nc\u2028d\n\n\n",
    "formatting": "%s %d {0} {x!r}",
}
