"""Words that are capitalised and yet name no product, and words that say what a name beside them is a name of.

Invariant: lower case, each for itself; a list that lacks a word lets one false name in and does no other harm. Written
for this project. Not here: any counting (`names`).
"""

from __future__ import annotations

from typing import Final

_NEVER_IN_NAMES: Final = (
    # pronouns and forms of address
    "i i'm i've i'd i'll im ive ill id mr mrs ms miss dr sir madam herr frau monsieur madame señor señora god jesus "
    "lord "
    # days and months
    "monday tuesday wednesday thursday friday saturday sunday mon tue tues wed thu thur thurs fri sat sun january "
    "february march april may june july august september october november december jan feb mar apr jun jul aug sep "
    "sept oct nov dec lunes martes miércoles jueves viernes sábado domingo lundi mardi mercredi jeudi vendredi "
    "samedi dimanche christmas xmas easter halloween thanksgiving ramadan eid new year's memorial "
    # time zones and units
    "am pm est edt cst cdt mst mdt pst pdt gmt utc bst cet cest ist kb mb gb tb mbps gbps kbps mph mhz ghz kw kwh "
    # acronyms and interjections of talk
    "rt dm dms pls plz asap fyi btw imo imho lol lmao lmfao omg wtf wth smh tbh ffs af idk ty thx faq eta etc aka "
    "ok okay ceo cfo cto csr ps re eg ie url it's diy vip mw kv tv news covid jr st ave blvd rd hwy "
)
_NEVER_ALONE: Final = (
    # peoples and languages
    "english spanish french german italian portuguese dutch polish russian turkish arabic chinese japanese korean "
    "hindi british american americans european indian african asian canadian mexican irish scottish australian "
    # places that stand without a preposition more often than others
    "uk us usa eu uae america europe asia africa england britain india london texas california florida "
)
_ABOUT_PLACES: Final = (
    "in at near from around across outside throughout inside within toward towards north south east west downtown "
    "bei aus nach en à au aux dans depuis chez em na nas nos desde w ze в во на из у på från hele op te bij uit "
)
_ABOUT_PEOPLE: Final = (
    "thanks thank hi hello hey dear mr mrs ms miss dr sir named called president senator governor mayor chairman "
    "user agent rep spoke danke gracias merci obrigado "
)
# One has, uses or pays with a product; nobody has a town or a president.
_BEFORE_PRODUCTS: Final = (
    "my your our use used uses using via with connect support accept install installed reinstall linked mein meine "
    "meinem meinen meiner dein deine mit benutze über mi mis tu tus su nuestro con usar uso usando mon ma mes votre "
    "avec utiliser utilise meu minha meus minhas seu sua com mio mia tuo tua usare mijn jouw met gebruik mój moja "
    "moje moim mojej min mitt mina med benim ile мой моя мое мою моем через с "
)
_AFTER_PRODUCTS: Final = (
    "app apps card cards account accounts payment payments transfer transfers subscription login button feature "
    "version user users device devices website site page code player client plugin extension browser wallet "
)

NEVER_IN_NAMES: Final = frozenset(_NEVER_IN_NAMES.split())
NEVER_ALONE: Final = frozenset(_NEVER_ALONE.split())
ABOUT_PLACES: Final = frozenset(_ABOUT_PLACES.split())
ABOUT_PEOPLE: Final = frozenset(_ABOUT_PEOPLE.split())
BEFORE_PRODUCTS: Final = frozenset(_BEFORE_PRODUCTS.split())
AFTER_PRODUCTS: Final = frozenset(_AFTER_PRODUCTS.split())
