"""Words that only hold a sentence together, in the languages most reports come in.

Invariant: used for labels alone, never for grouping, so a language that is missing here costs a label some polish and
nothing else. Words that carry the problem stay out: directions (up, down, out, in "log in") and states (off, on); a
negation says something beside another word only. Written for this project.
"""

from __future__ import annotations

from typing import Final

_WORDS_BY_LANGUAGE: Final = {
    "en": (
        "a an the and or but if so as at by for from of to with about is are was were be been am i'm it it's its "
        "this that these those there here i me my we us our you your he she they them their his her has have had "
        "do does did can could will would should just very too also any some all more than then when what who "
        "which how why because please hi hello get got still"
    ),
    "de": (
        "der die das den dem des ein eine einen einem einer und oder aber ist sind war waren bin bei mit von vom "
        "zu zum zur im ich du er sie es wir ihr mich mir uns man auch noch nur schon seit für auf an als wie was "
        "dass wenn so sehr hat habe haben wird werden kann"
    ),
    "es": (
        "el la los las un una unos unas y o pero de del al a en con por para que se lo le les me mi mis nos te su "
        "sus es son está están fue ha han he hay como más muy ya este esta esto eso cuando desde"
    ),
    "fr": (
        "le la les un une des du de d' et ou mais est sont était été je j'ai tu il elle nous vous ils on me mon "
        "ma mes se ce c'est cet cette ces que qui dans en au aux avec pour par sur depuis plus très aussi y a"
    ),
    "pt": (
        "o a os as um uma e ou mas do da dos das na nos nas ao em com por para que se eu ele ela meu minha "
        "está estão foi é são muito mais já isso isto esse essa desde quando"
    ),
    "it": (
        "il lo la i gli le un uno una e o ma di del della dei delle da dal in nel nella con per che si mi ci è "
        "sono era ho ha hanno questo questa molto più anche come da"
    ),
    "nl": (
        "de het een en of maar is zijn was van voor met op aan bij te dat die dit ik jij je hij wij we ze mijn "
        "ook nog al er om als heeft heb"
    ),
    "tr": "bir ve ama ile için bu şu o çok da de mi ben biz siz daha gibi kadar var",
    "pl": "i a w z na do od że się to jest są był była jak po dla mi mam już też",
    "ru uk": (
        "и а но в во на с со у к по за от до из что это как я мы вы он она они мне меня у нас вас уже же бы ли и "
        "та це що як"
    ),
    "ar": "في من على إلى عن مع هذا هذه أن ما هو هي كان قد ثم و أو",
    "id ms": "yang di ke dari dan atau ini itu saya aku kami untuk dengan sudah ada",
}
FUNCTION_WORDS: Final = frozenset(word for words in _WORDS_BY_LANGUAGE.values() for word in words.split())

# "no" and Portuguese "no" (in the) are one form; as a negation it matters more ("no power").
NEGATIONS: Final = frozenset(
    ("not", "no", "nicht", "kein", "keine", "sin", "ne", "pas", "não", "sem", "non", "niet", "geen", "yok", "nie", "не")
)
