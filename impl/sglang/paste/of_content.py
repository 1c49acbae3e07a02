"""What a pasted test finds of bytes without a look into nodes: of states, and in storage."""

from __future__ import annotations

from radixproof.impl.operations import (
    Arrive,
    History,
    HostInsert,
)
from radixproof.impl.sglang.paste import layout
from radixproof.impl.sglang.paste.shown import Assertion, Unwritable
from radixproof.impl.sglang.paste.statements import found, listed, prompt
from radixproof.model.config import Component
from radixproof.model.key import Key
from radixproof.model.verdict import Breach, Property


def of_content(breach: Breach, history: History) -> Assertion | None:
    """What shows wrong bytes without a look into nodes; None where such a look is needed."""
    if breach.violates is not Property.CONTENT:
        return None
    last, witness = history.operations[-1] if history.operations else None, breach.witness
    if isinstance(last, Arrive):
        return Assertion(after=_begun(last), filled=Component.MAMBA)
    if breach.rule == "fetched" and witness is not None:
        return Assertion(after=_named_apart(witness.prefix, history))
    if breach.rule.endswith("state-sums-up-more") and witness is not None:
        return Assertion(after=_given_out(witness.prefix), filled=Component.MAMBA)
    return None


def _begun(arrived: Arrive) -> list[str]:
    """The state that a request begins with is that of the prefix that it goes on from."""
    tokens = layout.items(arrived.key.tokens)
    return [
        f"reached = len(device_indices({found(arrived.key)}))",
        f"last = [{tokens}][:reached][-1:]",
        f"held = content[state_{arrived.request}].unique().tolist()",
        'claim = f"a request goes on from {reached} tokens with a state of {held}, not {last}"',
        "assert held == last, claim",
    ]


def _given_out(prefix: Key) -> list[str]:
    """A request with this prompt begins with the state of what it goes on from."""
    return [
        f"state = first_state({prompt(prefix)})",
        f"reached = len(device_indices({found(prefix)}))",
        f"last = [{layout.items(prefix.tokens)}][:reached][-1:]",
        "held = content[state].unique().tolist()",
        'claim = f"a request goes on from {reached} tokens with a state of {held}, not {last}"',
        "assert held == last, claim",
    ]


def _named_apart(prefix: Key, history: History) -> list[str]:
    """What is fetched for one namespace has not the name of what another has stored."""
    others = [one.key for one in history.operations if isinstance(one, HostInsert)]
    tokens = prefix.tokens
    for other in others:
        if other.namespace != prefix.namespace and other.tokens[: len(tokens)] == tokens:
            names = [listed(Key(tokens, one.namespace)) for one in (other, prefix)]
            claim = "pages of two namespaces have one name in storage"
            return [
                f"one, other = storage.names({names[0]}), storage.names({names[1]})",
                f'assert one != other, "{claim}"',
            ]
    raise Unwritable("nothing else was stored under these names")
