"""The commonest words of the languages most reports come in, and the letters that only some of them use.

Invariant: words are in lower case, each listed once a language. A word counts by the number of languages that share it,
so lists may overlap. Where a script's first language is the only one listed with no letters of its own, it is what is
left. Words of trouble ("funktioniert", "caiu") stand beside the words that hold sentences together, because reports are
short. Written for this project. Not here: any counting (`languages`).
"""

from __future__ import annotations

from typing import Final

_LATIN: Final = {
    "en": (
        "the a an and or but if so as at by for from of to with about is are was were be been am i'm it's its this "
        "that these those there here i my me we our us you your he she they them their has have had do does did "
        "can't cannot can could will would should just very too also any some all more than then when what who how "
        "why because please it in on not no don't doesn't didn't won't isn't wasn't i've you're they're get got "
        "still anyone else again up out down off only every never always since after before now new good great best "
        "love app keeps working work works broken slow error problem issue help fix login password account card "
        "money payment transfer power outage internet service update need want know like one time phone call which "
        "where into over being same even make made said says between much many music song songs"
    ),
    "de": (
        "der die das den dem des ein eine einen einem einer und oder aber ist sind war waren bin bei mit von vom zu "
        "zum zur im in ich du er sie es wir ihr mich mir uns man auch noch nur schon seit für auf an als wie was "
        "dass wenn so sehr hat habe haben wird werden kann nicht kein keine mehr immer wieder geht funktioniert "
        "leider bitte warum meine mein dieser diese dieses alles gut super nach vor über nichts heute jetzt aus am "
        "doch mal musik keinen können muss einfach ja nein ganz beste bekomme lässt sich störung fehler problem "
        "anmelden passwort konto"
    ),
    "es": (
        "el la los las un una unos unas y o pero de del al a en con por para que se lo le les me mi mis nos te su "
        "sus es son está están fue ha han he hay como más muy ya este esta esto eso cuando desde no sin sí porque "
        "todo todos todas nada puedo puede funciona bien mal gracias solo sólo tengo tiene también hasta sobre ni "
        "qué buena bueno mejor excelente música aplicación canciones luz electricidad horas servicio días hoy "
        "cuenta contraseña error problema ahora siempre va vez hace aquí otra otro mucho mucha aún tan ser estoy "
        "quiero"
    ),
    "fr": (
        "le la les un une des du de et ou mais est sont était été je j'ai tu il elle nous vous ils on me mon ma mes "
        "se ce c'est cet cette ces que qui dans en au aux avec pour par sur depuis plus très aussi y a ne pas n'est "
        "n'ai d'une d'un qu'il l'application j'adore sans tout tous toute rien bien merci bonjour marche fonctionne "
        "peux peut impossible problème toujours encore fait faire trop musique ça quand comme si meilleure super "
        "bon bonne compte panne mot passe connexion être avoir suis jamais même car leur"
    ),
    "pt": (
        "o a os as um uma e ou mas do da dos das na nos nas no em com por para que se eu ele ela meu minha meus "
        "minhas está estão foi é são muito mais já isso isto esse essa este esta desde quando não sem ao aos à pelo "
        "pela você também só tem tenho bom boa ótimo melhor aplicativo músicas música consigo funciona funcionando "
        "fora ar caiu conta senha erro problema obrigado tudo nada todos sempre ainda porque como até pra pro vocês "
        "de me mesmo fica ser amo"
    ),
    "it": (
        "il lo la i gli le un uno una e o ma di del della dei delle da dal in nel nella con per che si mi ci è sono "
        "era ho ha hanno questo questa molto più anche come non senza sempre ogni tutto tutti tutte niente funziona "
        "bene male grazie perché quando solo già ancora posso può fare bella bello ottima ottimo migliore "
        "applicazione musica canzoni app se sul alla al dalle degli cosa però conto errore problema io tu ne essere "
        "puoi"
    ),
    "nl": (
        "de het een en of maar is zijn was van voor met op aan bij te dat die dit ik jij je hij wij we ze mijn ook "
        "nog al er om als heeft heb niet geen wel naar uit door over kan kun wordt worden meer veel heel goed weer "
        "werkt altijd muziek waarom nu zo wat hoe alleen alle alles in gewoon fijn beste moet gaat liedjes nummers "
        "storing inloggen wachtwoord fout probleem graag hebben waar dan mij toch echt super"
    ),
    "sv": (
        "och att det i en jag som på är av för med den till inte om har de ett men var så från vi kan när man nu "
        "även efter mycket bra min mitt mina bara ingen inget alla allt musik fungerar låtar alltid igen varför "
        "måste skulle vara får går finns då här hade eller vad utan också bästa appen mig du dig lyssna ska någon"
    ),
    "da": (
        "og at det i en jeg som på er af for med den til ikke om har de et men var så fra vi kan når man nu også "
        "efter meget god godt min mit mine bare ingen alle alt musik virker altid igen hvorfor skal ville være får "
        "går sange eller hvad uden bedste mig du dig lytte nogen kun fungerer rigtig hvis"
    ),
    "no": (
        "og at det i en jeg som på er av for med den til ikke om har de et men var så fra vi kan når man nå også "
        "etter mye veldig bra god min mitt mine bare ingen alle alt musikk virker alltid igjen hvorfor må skal "
        "ville være får går sanger eller hva uten beste meg du deg lytte noen kun fungerer hvis appen"
    ),
    "fi": (
        "ja on ei että se hän olen ole oli mutta niin kuin jos myös tai kun mitä vain nyt sen ovat tämä hyvä toimii "
        "kaikki musiikkia voi en joka paras ihan minun sitä aina vielä mikä eikä tosi sovellus todella biisejä"
    ),
    "pl": (
        "i w na z do nie się jest to że a o jak po dla od za ale co już tylko przez czy tak mi mam był była są jego "
        "bardzo dobra dobrze działa moje mój można przy bez brak wszystko aplikacja muzyka muzyki może gdy też "
        "super polecam konto hasło błąd problem kiedy ten ta te"
    ),
    "cs": (
        "a v na se je to že s z do o k ale jako za by po pro jsem jsou bylo tak už jen mi mám nejde není nebo když "
        "která který velmi dobrá dobře funguje aplikace hudba hudbu písničky všechno může bez také ještě od mě být "
        "proč co super nejlepší ze ve"
    ),
    "ro": (
        "și si in în de la cu pe nu este e sunt o un una care mai ca să sa pentru din că foarte bună bun bine am ai "
        "au fost dar sau tot toate merge aplicația aplicatie muzică muzica melodii fără doar dacă îmi mi când acum"
    ),
    "hu": (
        "a az és hogy nem is egy van ez csak de jó meg már ha még vagy mint nagyon minden mert nincs lehet volt "
        "zene alkalmazás működik zenét én ami sem miért hol kell"
    ),
    "tr": (
        "bir ve ama ile için bu şu o çok da de mi ben biz siz daha gibi kadar var yok ne değil olarak en her iyi "
        "güzel uygulama müzik şarkı olan oldu olsun hiç neden sonra bana beni diye lütfen çalışmıyor açılmıyor "
        "giriş hata sorun sürekli artık ya reklam falan bence zaman"
    ),
    "id": (
        "yang di ke dari dan atau ini itu saya aku kami untuk dengan sudah ada tidak bisa nya juga lagi lagu sangat "
        "bagus tapi kalau karena apa mau gak ga aplikasi banyak terus saja jadi udah tolong lebih enak suka musik "
        "semua pas banget buka kenapa rusak kok sih dong"
    ),
    "vi": (
        "và là của có không cho tôi này được các một những với rất nhạc hay nghe nhưng thì mà đã bài mình như cũng "
        "để khi ứng dụng lại vì quá trong tốt nên hát đi bị lỗi phải app"
    ),
    "tl": (
        "ang ng sa mga na ay at ko hindi naman lang po pero kasi yung ako nyo niyo wala ba maganda para din kung walang"
    ),
    "ca": ("el la els les un una i o però de del al amb per que és són està molt més també quan sense no hi ha meva"),
}
_CYRILLIC: Final = {
    "ru": (
        "и в не на я что с это как но а по из у за от для все всё так же он она они мне меня мы вы бы ли уже только "
        "очень нет да есть было если когда музыка музыку приложение работает почему можно нельзя спасибо отлично "
        "лучше просто до или то его их чтобы где ничего опять могу войти мой моя "
        "приложении ошибка проблема сбой пароль аккаунт вход"
    ),
    "uk": (
        "і в не на я що з це як але а по із у за від для все так же він вона вони мені мене ми ви б чи вже тільки "
        "дуже немає є було якщо коли музика музику додаток працює чому можна дякую краще просто до або та й його їх "
        "щоб де можу "
        "увійти мій моя помилка пароль"
    ),
    "be": (
        "і ў не на я што з гэта як але а па у за ад для усе так ён яна яны мне мы вы ці ўжо толькі вельмі няма ёсць"
    ),
    "bg": (
        "и в не на аз че с това как но а по от за да се си е са ми му ги го съм бе беше ще много няма има само при "
        "или което защо приложение музика работи добре"
    ),
    "sr": (
        "и у не на ја да са је то као али а по из за од се су ми би ли већ само врло нема има ако када музика "
        "апликација"
    ),
}
_ARABIC: Final = {
    "ar": (
        "في من على إلى الى عن مع هذا هذه أن ان ما هو هي كان قد ثم و أو لا لم لن هل كيف لماذا متى أنا انا لقد يمكن "
        "يمكنني التي الذي بطاقة بطاقتي حساب حسابي كل بعد قبل عند لدي لي تم ماذا أين اين جدا يتم"
    ),
    "fa": (
        "و در از به که این را با است برای آن یک هم تا می های بود من شما ما نیست خیلی چرا نمی کار شد شده بر هست ولی اگر"
    ),
    "ur": "اور کے کی کا میں ہے سے کو نہیں پر یہ ہیں تو بھی نے وہ کر ہو کیا جو تھا رہا ہوں ایک بہت اس ان",
}


def _by_word(lists: dict[str, str]) -> dict[str, tuple[tuple[str, float], ...]]:
    """Word -> the languages that have it, each with its share of the word's one vote."""
    found: dict[str, list[str]] = {}
    for language, words in lists.items():
        for word in dict.fromkeys(words.split()):
            found.setdefault(word, []).append(language)
    return {word: tuple((language, 1.0 / len(shared)) for language in shared) for word, shared in found.items()}


COMMON_WORDS: Final = {"latin": _by_word(_LATIN), "cyrillic": _by_word(_CYRILLIC), "arabic": _by_word(_ARABIC)}
# A letter's one vote is shared like a word's.
OWN_LETTERS: Final = {
    "latin": _by_word(
        {
            "de": "ä ö ü ß",
            "es": "ñ ¿ ¡ á é í ó ú",
            "fr": "ç è ê à œ ù û î ô é",
            "pt": "ã õ ç ê á é í ó ú à",
            "it": "è ò ù ì à",
            "sv": "å ä ö",
            "da": "æ ø å",
            "no": "æ ø å",
            "fi": "ä ö",
            "pl": "ą ę ł ś ź ż ć ń ó",
            "cs": "ř ě ů č š ž ý á í é",
            "ro": "ă ț ș â î ţ ş",
            "hu": "ő ű á é ó ö ü í ú",
            "tr": "ğ ı ş ç ö ü",
            "vi": "đ ơ ư ạ ả ấ ầ ậ ắ ặ ế ề ể ệ ị ọ ố ồ ộ ớ ờ ợ ụ ủ ứ ừ ự ă â ê ô",
            "ca": "ç à è ò",
        }
    ),
    "cyrillic": _by_word({"ru": "ы э ё ъ", "uk": "ї є ґ і", "be": "ў і ы э ё", "bg": "ъ", "sr": "ђ ј љ њ ћ џ"}),
    "arabic": _by_word({"ar": "ة ى أ إ ؤ ي ك", "fa": "پ چ ژ گ ی ک", "ur": "ٹ ڈ ڑ ں ے ہ گ چ پ ی ک"}),
}
