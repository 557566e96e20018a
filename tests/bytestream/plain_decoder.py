"""The payload of a ROD decoded slowly and plainly, word by word, as raw-bytestream.md 3 reads.

The oracle of the compiled decoder: it shares no code with it, and keeps names instead of bits.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

Hit = tuple[int, int, int, int, int]
"""Wafer, first offline strip, size, time bin, hit errors."""

_CODES = {
    1: "ABCDError_Error1",
    2: "ABCDError_Error2",
    4: "ABCDError_Error4",
    7: "ABCDError_Error7",
}
_NOT_SHARED = ("ABCDError_Chip", "TempMaskedChip")


@dataclass
class PlainDecoder:
    """Decodes one ROD; ``fibres`` are the wafers of its fibres."""

    fibres: Mapping[int, int]
    swap: Sequence[bool]
    super_condensed: bool = False
    one_good_link: Mapping[int, int] = field(default_factory=dict)
    """The good link of modules that have exactly one."""
    chains: Mapping[int, Sequence[int]] = field(default_factory=dict)
    """Order of the chips of these modules."""
    hits: list[Hit] = field(default_factory=list)
    errors: dict[int, set[str]] = field(default_factory=lambda: defaultdict(set))
    unknown: int = 0
    counts: Counter[str] = field(default_factory=Counter)

    def decode(self, halves: Sequence[int]) -> PlainDecoder:
        self.open, self.dropping = False, False
        self.fibre: int | None = None
        self.reset()
        for word in halves:
            self.take(word)
        self.flush()
        return self

    def reset(self) -> None:
        self.pending: tuple[int, int] | None = None  # side, strip
        self.size = 0
        self.hit_errors = 0
        self.strip: int | None = None

    @property
    def wafer(self) -> int | None:
        return None if self.fibre is None else self.fibres.get(self.fibre)

    def take(self, word: int) -> None:
        top = word >> 13
        if top == 0b001:
            self.header(word)
        elif self.dropping:
            self.counts["words_after_invalid_headers"] += 1
        elif top == 0b010:
            self.trailer(word)
        elif not self.open:
            self.counts["missing_link_headers"] += 1
            for wafer in self.fibres.values():
                self.error(wafer, "MissingLinkHeaderError")
        elif word & 0x8000:
            self.hit(word)
        elif top == 0b000:
            self.chip_error(word)
        else:
            self.counts["raw_data"] += 1
            self.error(self.wafer, "RawError")

    def error(self, wafer: int | None, name: str) -> None:
        if wafer is None:
            return
        self.errors[wafer].add(name)
        good = self.one_good_link.get(wafer // 2)
        if good == wafer % 2 and not name.startswith(_NOT_SHARED):
            self.errors[wafer ^ 1].add(name)

    def header(self, word: int) -> None:
        self.flush()
        self.reset()
        self.counts["link_headers"] += 1
        formatter, link = word >> 4 & 0b111, word & 0b1111
        fibre = 12 * formatter + link
        if fibre > 95:
            self.counts["invalid_headers"] += 1
            self.error(self.wafer, "ByteStreamParseError")
            self.dropping, self.open = True, False
            return
        self.fibre, self.dropping, self.open = fibre, False, True
        self.condensed = bool(word >> 8 & 1)
        for bit, name, counter in (
            (12, "PreambleError", "preamble_errors"),
            (11, "TimeOutError", "timeout_errors"),
            (10, "LVL1IDError", "lvl1id_errors"),
            (9, "BCIDError", "bcid_errors"),
            (7, "MaskedLink", "masked_links"),
        ):
            if word >> bit & 1:
                self.counts[counter] += 1
                self.error(self.wafer, name)
        if link > 11:
            self.counts["formatter_errors"] += 1
            self.error(self.wafer, "FormatterError")

    def trailer(self, word: int) -> None:
        self.open = False
        self.counts["link_trailers"] += 1
        for bit, name, counter in (
            (12, "TrailerError", "trailer_errors"),
            (11, "HeaderTrailerLimitError", "trailer_limit_errors"),
            (10, "TrailerOverflowError", "trailer_overflow_errors"),
        ):
            if word >> bit & 1:
                self.counts[counter] += 1
                self.error(self.wafer, name)
        first = word & 0b1111
        if first:
            self.counts["temporarily_masked"] += 1
        if first and first <= 12 and self.wafer is not None:
            module = self.wafer // 2
            if module in self.one_good_link:
                chain = list(self.chains[module])
                chips = chain[chain.index(first - 1) :]
            else:
                chips = list(range(first - 1, 6 if first <= 6 else 12))
            for chip in chips:
                self.errors[2 * module + chip // 6].add(f"TempMaskedChip{chip % 6}")

    def hit(self, word: int) -> None:
        self.counts["hit_words"] += 1
        side, chip, address = word >> 14 & 1, word >> 11 & 0b111, word >> 4 & 0x7F
        strip = 128 * chip + address
        if not (self.super_condensed or self.condensed):
            self.expanded(word, side, chip, strip)
            return
        if chip > 5:
            self.counts["invalid_chips"] += 1
            self.error(self.wafer, "ByteStreamParseError")
            return
        if self.pending != (side, strip):
            self.flush()
            self.pending, self.size = (side, strip), 0
            self.to_side(side)
        if self.super_condensed:
            self.counts["super_condensed"] += 1
            self.size += (word & 0b1111) + 1
            return
        pair = word & 1
        self.counts["paired_condensed" if pair else "single_condensed"] += 1
        if word >> 2 & 1:
            self.counts["first_hit_errors"] += 1
            self.hit_errors |= 1
        if pair and word >> 3 & 1:
            self.counts["second_hit_errors"] += 1
            self.hit_errors |= 2
        self.size = 2 if pair or self.size == 2 else 1

    def expanded(self, word: int, side: int, chip: int, strip: int) -> None:
        if not word >> 3 & 1:
            self.counts["first_expanded"] += 1
            self.strip = None
            if chip > 5:
                self.counts["invalid_chips"] += 1
                self.error(self.wafer, "ByteStreamParseError")
                return
            self.to_side(side)
            self.strip = strip
            self.make(strip, 1, word & 0b111)
            return
        pair = word >> 7 & 1
        if self.strip is None or self.strip >= (766 if pair else 767):
            self.counts["refused_expanded"] += 1
            self.error(self.wafer, "ByteStreamParseError")
            return
        self.counts["paired_expanded" if pair else "last_expanded"] += 1
        self.strip += 1
        self.make(self.strip, 1, word & 0b111)
        if pair:
            self.strip += 1
            self.make(self.strip, 1, word >> 4 & 0b111)

    def to_side(self, side: int) -> None:
        assert self.fibre is not None
        if side == 1 and self.fibre % 2 == 0:
            self.fibre += 1
        elif side == 0 and self.fibre % 2 == 1:
            self.fibre -= 1

    def flush(self) -> None:
        if self.pending is not None:
            self.make(self.pending[1], self.size, 2)
        self.pending = None

    def make(self, strip: int, size: int, time_bin: int) -> None:
        wafer = self.wafer
        if wafer is None:
            self.unknown += 1
            self.counts["unknown_ids"] += 1
            return
        if strip % 128 + size - 1 > 127:
            self.counts["refused_groups"] += 1
            self.error(wafer, "ByteStreamParseError")
            return
        first = 767 - strip - (size - 1) if self.swap[wafer] else strip
        self.counts["groups"] += 1
        self.hits.append((wafer, first, size, time_bin, self.hit_errors))

    def chip_error(self, word: int) -> None:
        self.counts["abcd_errors"] += 1
        wafer = self.wafer
        if wafer is None:
            return
        chip, code = word >> 3 & 0b1111, word & 0b111
        if code not in _CODES:
            self.error(wafer, "ABCDError_Invalid")
        else:
            if wafer % 2 != chip // 8:
                wafer ^= 1
            if chip % 8 >= 6:
                self.error(wafer, "ABCDError_Invalid")
            else:
                self.error(wafer, _CODES[code])
                self.error(wafer, f"ABCDError_Chip{chip % 8}")
        self.error(wafer, "ABCDError")
