"""A page of HTML, taken apart for tests."""

from html.parser import HTMLParser

VOID = {"meta", "link", "input", "br", "img"}


class Page(HTMLParser):
    """Every element with its attributes and the tags it lies in, and the text of each."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.open, self.unbalanced = [], [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.elements.append(
            {"tag": tag, "within": [e["tag"] for e in self.open], "text": "", **dict(attributes)}
        )
        if tag not in VOID:
            self.open.append(self.elements[-1])

    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        if not self.open or self.open.pop()["tag"] != tag:
            self.unbalanced.append(tag)

    def handle_data(self, text):
        for each in self.open:
            each["text"] += text

    def all(self, *tags):
        return [each for each in self.elements if each["tag"] in tags]

    def id(self, name):
        (found,) = (each for each in self.elements if each.get("id") == name)
        return found
