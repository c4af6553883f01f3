# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes HTML of texts that are written like README: headings that are underlined, paragraphs, lists
with " - ", and blocks that are shown as they are, because they are indented or can be pasted."""
import html
import re

# How a block begins that is pasted into a shell, at the left edge.
COMMANDS = ("apt-get", "cat >", "cc ", "certbot", "cp ", "curl", "droverctl ", "droverd ", "echo ", "git ",
            "make ", "mkdir ", "nc ", "openssl ", "systemctl ")


def inline(line, names, title):
    """Text with links: droverd(8), and the names of other texts."""
    out = html.escape(line, quote=False)

    def link(match):
        word = match[0]
        return f'<a href="{names[word]}">{word}</a>' if word in names and word != title else word
    out = re.sub(r"\b[a-z_.-]*[a-z]\([1-8]\)", link, out)
    out = re.sub(r"\b(?:README|NEWS|SECURITY|HACKING)\b", link, out)
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", out)


def is_pasted(line):
    return line.startswith(COMMANDS)


def blocks(lines):
    """Lines up to the next empty one; a here-document may have empty lines."""
    block, end = [], None
    for line in lines:
        if end is not None:
            block.append(line)
            if line.strip() == end:
                end = None
            continue
        if not line.strip():
            if block:
                yield block
            block = []
            continue
        block.append(line)
        here = re.search(r"<<-?'?(\w+)'?", line)
        if here:
            end = here[1]
    if block:
        yield block


def identifier(heading):
    return re.sub(r"[^A-Za-z0-9]+", "_", heading).strip("_")


def depth(line):
    return len(line) - len(line.lstrip(" "))


def dedent(block):
    edge = min(depth(line) for line in block if line.strip())
    return [line[edge:] for line in block]


class Writer:
    def __init__(self, names, title):
        self.names, self.title, self.out, self.in_pre, self.list = names, title, [], False, False

    def text(self, line):
        return inline(line, self.names, self.title)

    def close(self):
        if self.in_pre:
            self.out.append("</pre>")
        if self.list:
            self.out.append("</ul>")
        self.in_pre = self.list = False

    def pre(self, block):
        block = dedent(block)
        if self.in_pre:
            self.out.append("")
        else:
            self.close()
            self.out.append("<pre>" + html.escape(block[0], quote=False))
            block = block[1:]
            self.in_pre = True
        self.out.extend(html.escape(line, quote=False) for line in block)

    def heading(self, line, level):
        self.close()
        name = identifier(line)
        self.out.append(f'<h{level} id="{name}"><a href="#{name}">{self.text(line)}</a></h{level}>')

    def items(self, block):
        if not self.list:
            self.close()
            self.out.append("<ul>")
            self.list = True
        for item in re.split(r"\n(?= - )", "\n".join(block)):
            words = " ".join(line.strip() for line in item.splitlines())
            self.out.append(f"<li>{self.text(words[2:])}</li>")

    def paragraph(self, block):
        self.close()
        self.out.append("<p>" + "\n".join(self.text(line.strip()) for line in block) + "</p>")


def render(source, names, title):
    w = Writer(names, title)
    for block in blocks(source.expandtabs(8).splitlines()):
        if len(block) > 1 and re.fullmatch(r"=+|-+", block[1]):
            w.heading(block[0], 1 if block[1][0] == "=" else 2)
            block = block[2:]
            if not block:
                continue
        if block[0].startswith(" - "):
            w.items(block)
        elif is_pasted(block[0]) or depth(block[0]) >= 4 or any("   " in line.strip() for line in block):
            w.pre(block)
        else:
            w.paragraph(block)
    w.close()
    return "\n".join(w.out)
