"""Templates: what they reach, what they cannot, and what they print."""

import time
from dataclasses import replace

import pytest

from mailrouter.core.context import Context, variables
from mailrouter.core.sandbox import RenderError
from mailrouter.core.template_check import check_source
from mailrouter.core.templates import Template, Templates


@pytest.fixture
def render(case):
    def run(source, language="et", other=None):
        context = Context("Siseministeerium", "2024-02-29", "a rule", language)
        the_case = other or case
        values = variables(the_case, the_case.letters[0] if the_case.letters else None, context)
        return Templates().render_text(source, values)

    return run


@pytest.fixture
def render_file(case):
    def run(body, **more):
        files = {"a.txt.j2": Template("a.txt.j2", body)} | {
            name.replace("__", "."): Template(name, text) for name, text in more.items()
        }
        values = variables(case, case.letters[0], Context("Siseministeerium", "2024-02-29", "a rule", "en"))
        return Templates(files).render("a.txt.j2", values)

    return run


@pytest.mark.parametrize(
    ("source", "printed"),
    [
        ("{{ letter.dated | date }}", "28. veebruar 2024"),
        ('{{ letter.dated | date("en") }}', "28 February 2024"),
        ('{{ letter.dated | date("en_GB") }}', "28 February 2024"),
        ('{{ letter.dated | date("et", "short") }}', "28.02.2024"),
        ("{{ received | date }}", "29. veebruar 2024"),
        ("{{ letter.deadline | date }}", ""),
        ("{{ letter.dated | deadline }}", "kolmapäev, 28. veebruar 2024"),
        ("{{ incoming.from }}", "HOME GLOBAL ALLIANCE <HOME-GLOBAL-ALLIANCE@ec.europa.eu>"),
        ("{{ incoming.from | name }}", "HOME GLOBAL ALLIANCE"),
        ("{{ incoming | name }}", "HOME GLOBAL ALLIANCE"),
        ("{{ letter.addressee | name }}", "Lauri Läänemets"),
        ("{{ letter.reference }}|{{ letter.reference.parts }}", "|"),
        ("{{ thread.entry.number }}", ""),
        ("{{ message.to }}", "info@ministry.example"),
        ("{% for ask in letter.asks %}{{ loop.index }}. {{ ask.kind }}{% endfor %}", "1. nominate"),
        ("{{ 'a' ~ letter.language ~ 1 }}", "aen1"),
        ("{{ own.number }} {{ own.date }}", "{number} {date}"),
        ("a\n{% if letter %}\nb\n{% endif %}\nc", "a\nb\nc"),
        ("a{% if letter %}\nb{% endif %}\nc", "a\nb\nc"),
    ],
)
def test_template_prints(render, source, printed):
    """Dates in the reader's language, names without addresses, nothing for what is absent."""
    assert render(source) == printed


ESCAPES = [
    "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "{{ ''['__class__'] }}",
    "{{ message|attr('__class__') }}",
    "{{ message._value }}",
    "{{ message['_value'] }}",
    "{{ message.keys() }}",
    "{{ message.get('text') }}",
    "{{ message.__init__.__globals__ }}",
    "{{ letter.asks|map(attribute='__class__')|list }}",
    "{{ letter.asks|map(attribute='_value.__class__')|first }}",
    "{{ letter.asks|map('attr', '__class__')|list }}",
    "{{ letter.text|list|sort(attribute='__class__') }}",
    "{{ letter.asks|selectattr('__class__')|list }}",
    "{{ self.__init__.__globals__ }}",
    "{{ self._TemplateReference__context }}",
    "{{ cycler.__init__.__globals__.os.popen('id').read() }}",
    "{{ joiner.__init__ }}",
    "{{ namespace.__init__ }}",
    "{{ lipsum.__globals__ }}",
    "{{ range(10) }}",
    "{{ dict(a=1) }}",
    "{{ url_for.__globals__ }}",
    "{{ config.items() }}",
    "{{ request.application }}",
    "{{ '%s' % message }}",
    "{{ '{0.__class__}'.format(message) }}",
    "{{ '{a.__class__}'.format_map({'a': message}) }}",
    "{{ ('{0.__class__}'|escape).format(message) }}",
    "{{ message|format }}",
    "{{ message|tojson }}",
    "{{ message|xmlattr }}",
    "{{ message|pprint }}",
    "{% for x in ().__class__.__base__.__subclasses__() %}{{ x }}{% endfor %}",
    "{% macro m() %}{{ caller.__globals__ }}{% endmacro %}{% call m() %}{% endcall %}",
    "{% macro m() %}{% endmacro %}{{ m.__globals__ }}",
    "{% macro m() %}{% endmacro %}{{ m._func }}",
    "{% for x in letter.asks %}{{ loop._iterator }}{% endfor %}",
    "{% for x in letter.asks %}{{ loop.__init__.__globals__ }}{% endfor %}",
    "{% set x = message %}{{ x.__dict__ }}",
    "{% import 'a' as m %}{{ m.__class__ }}",
    "{% include '/etc/passwd' %}",
    "{% include ['../../etc/passwd', '/etc/hostname'] %}",
    "{{ _budget.spend(-1000000) }}",
    "{{ _budget.left }}",
    "{{ [].append(1) }}",
    "{{ letter.text.encode() }}",
    "{{ letter.text.join(['a']) }}",
    "{{ (1).__class__ }}",
    "{{ undefined_thing }}",
    "{{ caller() }}",
    "{{ super() }}",
]


@pytest.mark.parametrize("source", ESCAPES)
def test_template_reaches_nothing_outside_the_case(render, source):
    """Known ways out of a sandbox end in an error, and the check of templates would not have let most of them in."""
    with pytest.raises(RenderError):
        render(source)


@pytest.mark.parametrize("source", [source for source in ESCAPES if "_budget" in source or "self" in source])
def test_check_refuses_inner_names(source):
    """Names of the sandbox itself are unknown to the check."""
    assert check_source(source, Templates())


BOMBS = [
    "{% for a in x %}" * 6 + "{% endfor %}" * 6,
    "{{ 'a' * 1000000000 }}",
    "{{ [1] * 1000000000 }}",
    "{{ 10 ** 10 ** 10 }}",
    "{{ '%01000000000d' % 1 }}",
    "{{ 'a' | center(1000000000) }}",
    "{{ 'a' | indent(1000000000) | length > 100 or letter.nothing.at.all }}{{ 'a' * 2 }}",
    "{% set a = 'aaaaaaaaaaaaaaaa' %}" + "{% set a = a ~ a ~ a ~ a %}" * 20 + "{{ a | length }}",
    "{% set a %}aaaaaaaaaaaaaaaa{% endset %}" + "{% set a %}{{ a }}{{ a }}{{ a }}{{ a }}{% endset %}" * 20,
    "{% set a = 'aaaa' %}" + "{% set a = a + a + a + a %}" * 30,
    "{% set a = 'aaaaaaaa' %}" + "{% set a = a | replace('a', a) %}" * 10,
    "{% set a = letter.text | list %}" + "{% set a = [a, a, a, a] | join(letter.text) | list %}" * 12,
    "{% macro f(n) %}{% if n > 0 %}{{ f(n - 1) }}{{ f(n - 1) }}{% endif %}{% endmacro %}{{ f(60) }}",
    "{% macro f(n) %}{{ f(n) }}{% endmacro %}{{ f(1) }}",
    "{% for a in letter.asks recursive %}{{ loop([1]) }}{% endfor %}",
    "{{ " + "(" * 400 + "1" + ")" * 400 + " }}{{ 'a' * 2 }}",
    "{% set n = 999999999999 %}{{ n * n * n * n }}",
]


@pytest.mark.parametrize("source", BOMBS, ids=range(len(BOMBS)))
def test_template_cannot_hang_or_flood(render, case, source):
    """Loops, doubled texts, huge numbers and macros that call each other end in an error, soon."""
    long = replace(case, letters=(replace(case.letters[0], text="word " * 200),))
    start = time.process_time()
    with pytest.raises(RenderError):
        render("{% set x = letter.text | list %}" + source, other=long)
    assert time.process_time() - start < 20


def test_html_is_escaped_and_text_is_not(render_file):
    """Both blocks come from one file; what a mail says is escaped in HTML."""
    made = render_file(
        "{% block text %}{{ '<b>' ~ letter.language }}{% endblock %}\n{% block html %}<p>{{ '<b>' ~ letter.language }}</p>{% endblock %}"
    )
    assert (made.text, made.html) == ("<b>en", "<p>&lt;b&gt;en</p>")


def test_lines_in_html(render_file):
    """`lines` keeps line breaks in HTML, and still escapes."""
    made = render_file("{% block text %}x{% endblock %}{% block html %}{{ 'a<\nb' | lines }}{% endblock %}")
    assert made.html == "a&lt;<br>\nb"


def test_template_without_blocks_is_text(render_file):
    """A plain file is the text alone; other files may be included."""
    made = render_file("Tere\n{% include 'b.txt.j2' %}", b__txt__j2="{{ institution }}")
    assert (made.text, made.html) == ("Tere\nSiseministeerium", "")


def test_templates_that_include_each_other_end(render_file):
    """An endless include is an error."""
    with pytest.raises(RenderError):
        render_file("{% include 'b.txt.j2' %}", b__txt__j2="{% include 'a.txt.j2' %}")


def test_language_is_chosen_with_fallback():
    """The variant for the language, else the one without a language, else English."""
    templates = Templates(
        {name: Template(name, "") for name in ("a.et.txt.j2", "a.txt.j2", "b.et.txt.j2", "b.en.txt.j2")}
    )
    assert templates.choose("a.txt.j2", ("et",)) == "a.et.txt.j2"
    assert templates.choose("a.txt.j2", ("fr",)) == "a.txt.j2"
    assert templates.choose("b.txt.j2", ("fr",)) == "b.en.txt.j2"
    assert templates.choose("b.et.txt.j2", ("en",)) == "b.et.txt.j2"
    assert templates.choose("c.txt.j2", ("en",)) is None


def test_control_characters_do_not_get_out(render, case):
    """What a mail hides in its subject does not reach a terminal or a header."""
    sly = replace(case, message=replace(case.message, subject="a\x1b[31m\x00b\u2028c"))
    assert render("{{ message.subject }}", other=sly) == "a[31mbc"
