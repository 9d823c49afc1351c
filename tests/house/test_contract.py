"""SEMANTICS.md is the contract: what it says is implemented is named by a test; what the code claims to bring is tested."""

from __future__ import annotations

import re

import pytest

from tests.house.source import PACKAGE, ROOT, all_tests

INVENTORY_ID = re.compile(r"\b(?:AGT|ALC|BCH|BRK|CFG|CLI|DOC|ENS|EXE|HDG|MET|ML|NOT|OPT|ORD|PFM|PRD|RL|RSK|SIG|SIZ|SRV|STA|STP|TST)-\d\d\b")


def implemented_rules() -> list[str]:
    """Ids in the first sentence of "Implemented today", ranges written out."""
    text = (ROOT / "SEMANTICS.md").read_text(encoding="utf-8").partition("## Implemented today")[2]
    sentence = text.partition(": all of it")[0]
    rules = []
    for letter, first, last in re.findall(r"\b([A-Z])(\d+)(?:[–-][A-Z]?(\d+))?", sentence):
        rules += [f"{letter}{number}" for number in range(int(first), int(last or first) + 1)]
    return rules


RULES = implemented_rules()


def test_the_list_of_rules_is_read_right() -> None:
    assert len(RULES) > 60
    assert len(RULES) == len(set(RULES))
    written = set(re.findall(r"^- ([A-Z]\d+) ", (ROOT / "SEMANTICS.md").read_text(encoding="utf-8"), re.MULTILINE))
    assert set(RULES) == written, f"implemented but not written, or the other way: {sorted(set(RULES) ^ written)}"


@pytest.mark.parametrize("rule", RULES)
def test_every_implemented_rule_is_named_by_a_test(rule: str) -> None:
    """In its text, or (small letters count too) in its name: `test_s4_an_exit_closes_what_is_held`."""
    named = re.compile(rf"(?<![A-Za-z0-9]){rule}(?![A-Za-z0-9])")
    assert any(named.search(text) or rule.lower() in name.lower().split("_") for _, name, text in all_tests()), f"no test names rule {rule}"


def claimed_ids() -> list[str]:
    """Inventory ids that the package or its documents claim."""
    files = [*PACKAGE.glob("**/*.py"), ROOT / "README.md", ROOT / "CHANGELOG.md"]
    return sorted({name for path in files if path.exists() for name in INVENTORY_ID.findall(path.read_text(encoding="utf-8"))})


@pytest.mark.parametrize("name", claimed_ids())
def test_every_inventory_id_claimed_is_tested(name: str) -> None:
    spelled = (name, name.replace("-", "_"), name.replace("-", ""))
    assert any(word in text for _, _, text in all_tests() for word in spelled), f"{name} is claimed, but no test names it"
