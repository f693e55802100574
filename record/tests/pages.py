"""What a page says, for tests that read it."""

import re


def words(html):
    """The text of some HTML, its tags taken out and its spaces made single."""
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


def words_of(response):
    """The text of a whole page."""
    return words(response.content.decode())


def main_of(response):
    """The HTML of a page's main part below what says which day it is about."""
    main = re.search(r"<main.*</main>", response.content.decode(), re.DOTALL)[0]
    return re.sub(r'<section class="as-at.*?</section>', "", main, count=1, flags=re.DOTALL)


def main_words(response):
    """The text of a page's main part below what says which day it is about."""
    return words(main_of(response))
