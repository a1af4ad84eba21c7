"""What simulated people write: phrases by topic and language, in a small grammar.

`(a|b|c)` stands for one of its alternatives, which may be empty and may hold further ones; `{service}`, `{code}`,
`{ago}`, `{place}` and `{n}` are filled in. All of it is made up for the project. Only words live here; how often, where
and when somebody writes them is `synth`.
"""

Phrases = dict[str, tuple[str, ...]]  # by language

LOGIN: Phrases = {
    "en": (
        "(can't|cannot|can not|unable to) (log in|sign in|login|get into my account)(| to {service}| since {ago}|)",
        "(login|sign-in|signing in) (is broken|doesn't work|keeps failing|fails every time)( here|) in {place}",
        "(it says|I get|{service} says) (wrong password|session expired|auth failed) but (it's right|nothing changed)",
        "(kicked|logged|thrown) out of {service} {ago}, (now|and) (it won't let me back in|the page just reloads)",
        "2fa code (never arrives|isn't accepted|expired), (can't get in|locked out)(, anyone else|)?",
        "(stuck|endless loop) (on|at) the login (screen|page)( , tried {n} times|)",
        "{service} login (down|dead)( again|)(?|??| in {place}?)",
    ),
    "de": (
        "(kann|komme) mich (nicht mehr|seit {ago} nicht) (anmelden|einloggen)( bei {service}|)",
        "(Anmeldung|Login|Einloggen) (geht nicht|funktioniert nicht|schlägt immer fehl)( in {place}|)",
        "(angeblich falsches Passwort|Passwort falsch), (stimmt aber|habe nichts geändert)( , seit {ago}|)",
        "(wurde|bin) {ago} (ausgeloggt|rausgeflogen|abgemeldet) und komme nicht mehr rein",
        "(der|mein) (Code|2FA-Code|Bestätigungscode) (kommt nicht|wird nicht angenommen)",
        "{service} (Login|Anmeldeseite) (lädt nur neu|dreht sich im Kreis|hängt)( , noch jemand|)?",
        "(ist|ist bei euch auch) der Login (kaputt|down|weg)( in {place}|)?",
    ),
    "es": (
        "no (puedo|me deja|consigo) (iniciar sesión|entrar|acceder a mi cuenta)( en {service}|) (desde {ago}|)",
        "(el inicio de sesión|el login) (no funciona|falla|está caído)( en {place}|)",
        "(dice|me sale) contraseña incorrecta (y está bien|pero es correcta)",
        "me (sacó|echó|cerró la sesión) {ago} y (ya no entro|no puedo volver a entrar)",
        "el código de verificación (no llega|no sirve|da error)",
        "¿(alguien más|solo yo) (sin poder entrar|que no puede entrar) a {service}?",
    ),
    "fr": (
        "(impossible|pas moyen) de (me connecter|se connecter)( à {service}|) (depuis {ago}|)",
        "la connexion (ne marche plus|échoue|est en panne)( à {place}| en {place}|)",
        "(ça dit|il affiche) mot de passe (incorrect|invalide) alors qu'il est bon",
        "(déconnecté|éjecté) {ago}, (je ne peux plus|impossible de) revenir",
        "le code de (vérification|sécurité) (n'arrive pas|ne passe pas)",
        "(vous arrivez|quelqu'un arrive) à (vous connecter|se connecter) à {service} ?",
    ),
    "pt": (
        "não (consigo|dá para) (entrar|fazer login|acessar minha conta)( no {service}|) (desde {ago}|)",
        "(o login|a entrada) (não funciona|está dando erro|caiu)( em {place}|)",
        "diz que a senha está errada (mas está certa|e não mudei nada)",
        "(fui deslogado|me desconectou) {ago} e não entro mais",
        "código de (verificação|segurança) não chega",
    ),
    "it": (
        "non riesco (ad accedere|a fare il login|a entrare)( su {service}|) (da {ago}|)",
        "(il login|l'accesso) (non funziona|non va|è bloccato)( a {place}|)",
        "dice password errata (ma è giusta|e non l'ho cambiata)",
        "(sloggato|buttato fuori) {ago} e non rientro più",
        "il codice di verifica non (arriva|funziona)",
    ),
    "tr": (
        "({service} hesabıma|hesabıma) (giriş yapamıyorum|giremiyorum)( , {ago}|)",
        "giriş (çalışmıyor|yapılmıyor|hata veriyor)( {place}|)",
        "şifre yanlış diyor ama (doğru|değiştirmedim)",
        "{ago} oturum kapandı, (tekrar|bir daha) giremiyorum",
        "doğrulama kodu gelmiyor",
    ),
}

ERRORS: Phrases = {
    "en": (
        "(getting|I get|nothing but) (error {code}|{code}s|a {code}|{code} bad gateway)( on {service}|)( since {ago}|)",
        "{service} (is down|down|not loading|won't load)(, {code}|)( in {place}|)(?|)",
        "(every page|the whole site|everything) (shows|gives me|throws) {code}",
        "(server error|bad gateway|service unavailable) ({code}|) (when I open {service}|on every click|since {ago})",
        "api (returns|answers) {code} for (every request|about {n}0% of calls)",
        "is {service} down (for everyone|or just me)?",
    ),
    "de": (
        "(nur noch|bekomme|ständig) (Fehler {code}|{code}|{code} Bad Gateway)( bei {service}|)( seit {ago}|)",
        "{service} (ist down|nicht erreichbar|lädt nicht|geht nicht)( in {place}|)",
        "(jede Seite|alles) (zeigt|bringt) (Fehler |){code}",
        "(Serverfehler|Dienst nicht verfügbar) {code} (beim Öffnen|seit {ago})",
        "ist {service} (gerade|wieder) (tot|down|weg)(?|, oder nur bei mir?)",
    ),
    "es": (
        "(me sale|da|solo sale) (error {code}|{code}|{code} bad gateway)( en {service}|)( desde {ago}|)",
        "{service} (está caído|no carga|no abre|se cayó)( en {place}|)",
        "(todas las páginas dan|todo da) {code}",
        "¿se cayó {service}(?| o soy yo?)",
    ),
    "fr": (
        "(erreur {code}|{code}|que des {code})( sur {service}|)( depuis {ago}|)",
        "{service} (est en panne|ne charge pas|est HS|est tombé)( à {place}|)",
        "(toutes les pages|tout) (affiche|renvoie) {code}",
        "(c'est|il est) (mort|en rade) {service} (ou c'est moi ?|?)",
    ),
    "pt": (
        "(aparece|só dá|está dando) (erro {code}|{code})( no {service}|)( desde {ago}|)",
        "{service} (caiu|fora do ar|não abre|não carrega)( em {place}|)",
        "(todas as páginas dão|tudo dá) {code}",
        "{service} caiu (pra todo mundo|só pra mim)?",
    ),
    "it": (
        "(errore {code}|solo {code}|mi dà {code})( su {service}|)( da {ago}|)",
        "{service} (è down|non carica|non si apre|è giù)( a {place}|)",
        "(ogni pagina dà|tutto dà) {code}",
    ),
    "tr": (
        "({service} |)(sürekli |){code} (hatası|hatası veriyor|alıyorum)",
        "{service} (çöktü|açılmıyor|yüklenmiyor)( {place}|)(?|)",
        "her sayfada {code}",
    ),
}

SLOW: Phrases = {
    "en": (
        "{service} (is|so|is super|is unbearably) slow( today| since {ago}|)",
        "(api|requests|calls) (take|taking) {n}0 (seconds|s)( or time out|), (normally|usually) instant",
        "(timeouts|timing out) (on every|on most|on) (request|api call)s?( from {place}|)",
        "(pages|dashboard|search) (takes forever|take ages|keep spinning|hangs)( in {place}|)",
        "(request timed out|504 gateway timeout) (again|all the time|since {ago})",
    ),
    "de": (
        "{service} (ist|extrem|so) (langsam|lahm|träge)( heute| seit {ago}|)",
        "(API|Anfragen) (brauchen|dauern) {n}0 Sekunden( oder laufen in ein Timeout|)",
        "(Seiten|Suche|Dashboard) (lädt|laden|dreht) (ewig|minutenlang)( in {place}|)",
        "(ständig|nur) (Timeouts|Zeitüberschreitung)( seit {ago}|)",
    ),
    "es": (
        "{service} (va lentísimo|muy lento|lento)( desde {ago}| hoy|)",
        "la api (tarda|demora) {n}0 segundos( o da timeout|)",
        "(tarda mucho en cargar|se queda cargando)( en {place}|)",
    ),
    "fr": (
        "{service} (rame|est hyper lent|super lent)( depuis {ago}| aujourd'hui|)",
        "l'api met {n}0 secondes à répondre",
        "(ça charge|les pages chargent) (à l'infini|pendant des heures)( à {place}|)",
    ),
    "pt": (
        "{service} (muito lento|travando|lentíssimo)( desde {ago}| hoje|)",
        "a api demora {n}0 segundos( e dá timeout|)",
        "(fica carregando|não sai do carregamento)( em {place}|)",
    ),
    "it": (
        "{service} (lentissimo|va piano|è lento)( da {ago}| oggi|)",
        "l'api ci mette {n}0 secondi",
        "carica all'infinito",
    ),
    "tr": ("{service} (çok yavaş|kasıyor)( {ago}| bugün|)", "api {n}0 saniyede cevap veriyor", "sürekli zaman aşımı"),
}

PAYMENT: Phrases = {
    "en": (
        "(my card|payment|checkout) (was declined|fails|got stuck)( {ago}|)",
        "(charged twice|double charged|wrong invoice) (this month|again|for my plan)",
    ),
    "de": (
        "(Zahlung|Karte|Lastschrift) (abgelehnt|geht nicht durch)",
        "(doppelt abgebucht|Rechnung falsch)( diesen Monat|)",
    ),
    "es": ("(pago|tarjeta) (rechazado|no pasa)", "me cobraron dos veces( este mes|)"),
    "fr": ("(paiement|carte) (refusé|ne passe pas)", "(débité deux fois|facture fausse)"),
    "pt": ("pagamento (recusado|não passa)", "cobraram duas vezes"),
    "it": ("pagamento (rifiutato|bloccato)", "addebitato due volte"),
    "tr": ("ödeme (reddedildi|geçmiyor)", "iki kez çekildi"),
}

APP: Phrases = {
    "en": (
        "(app|the app|android app|ios app) (crashes|closes itself|freezes) (on start|in settings|after the update)",
        "(notifications|push messages|sync) (stopped|not working|late)( on my phone|)",
        "(dark mode|the new layout|the font) (is broken|looks off|is unreadable)( on tablet|)",
    ),
    "de": (
        "App (stürzt ab|schließt sich|friert ein) (beim Start|nach dem Update|in den Einstellungen)",
        "(Benachrichtigungen|Synchronisierung) (kommen nicht|geht nicht|verspätet)",
    ),
    "es": ("la app (se cierra|se cuelga) (al abrir|tras actualizar)", "no llegan (notificaciones|avisos)"),
    "fr": ("l'appli (plante|se ferme) (au démarrage|après la mise à jour)", "plus de notifications"),
    "pt": ("o app (fecha sozinho|trava) (ao abrir|depois da atualização)", "notificações não chegam"),
    "it": ("l'app (si chiude|crasha) (all'avvio|dopo l'aggiornamento)", "notifiche in ritardo"),
    "tr": ("uygulama (kapanıyor|donuyor) (açılışta|güncellemeden sonra)", "bildirim gelmiyor"),
}

QUESTION: Phrases = {
    "en": (
        "how (do I|can I|to) (export my files|change my e-mail|add a second user|cancel my plan|turn off alerts)?",
        "(when will|is there going to be|any news on) (dark mode|an offline mode|a cheaper plan|sso)?",
        "where (is|did you hide) the (download|invoice|settings) (button|page)?",
    ),
    "de": (
        "wie kann ich (meine Daten exportieren|die E-Mail ändern|kündigen|einen Nutzer hinzufügen)?",
        "(wann kommt|gibt es bald) (ein Dunkelmodus|ein Offline-Modus|ein günstigerer Tarif)?",
    ),
    "es": ("¿cómo (cambio mi correo|cancelo el plan|exporto mis datos)?", "¿habrá modo (oscuro|sin conexión)?"),
    "fr": ("comment (changer mon adresse|résilier|exporter mes données) ?", "à quand le mode (sombre|hors ligne) ?"),
    "pt": ("como (troco meu e-mail|cancelo o plano|exporto meus dados)?", "quando sai o modo escuro?"),
    "it": ("come (cambio email|disdico|esporto i dati)?", "ci sarà la modalità (scura|offline)?"),
    "tr": ("(e-postamı|planımı) nasıl (değiştiririm|iptal ederim)?", "karanlık mod gelecek mi?"),
}

PRAISE: Phrases = {
    "en": (
        "(love|really like|impressed by) (the new update|the search|{service})( , keep going|)",
        "{service} (works great|just works|finally works again) for me",
        "(thanks|thank you) (team|support), (solved|all good now)",
    ),
    "de": (
        "(tolles Update|läuft super|danke ans Team)( , weiter so|)",
        "bei mir (läuft alles|geht alles)( , {service} ist top|)",
    ),
    "es": ("(gran actualización|me encanta|funciona genial)( {service}|)", "gracias al equipo"),
    "fr": ("(super mise à jour|j'adore|tout marche)( {service}|)", "merci à l'équipe"),
    "pt": ("(adorei|muito bom|funciona bem)( o {service}|)", "obrigado pelo suporte"),
    "it": ("(ottimo aggiornamento|funziona bene)", "grazie all'assistenza"),
    "tr": ("(güncelleme güzel|teşekkürler|süper çalışıyor)",),
}

OPENERS: Phrases = {
    "en": ("hi, ", "hey ", "ugh, ", "so ", "@support ", "hello, ", "omg ", "fyi: "),
    "de": ("hallo, ", "hey, ", "moin, ", "boah, ", "Servus, ", "Guten Tag, ", "@support "),
    "es": ("hola, ", "oigan, ", "buenas, ", "uf, "),
    "fr": ("bonjour, ", "salut, ", "bon, ", "pff, "),
    "pt": ("oi, ", "gente, ", "olá, ", "poxa, "),
    "it": ("ciao, ", "salve, ", "uffa, "),
    "tr": ("merhaba, ", "ya ", "selam, "),
}

CLOSERS: Phrases = {
    "en": (
        " please fix",
        " pls help",
        " anyone else?",
        " this is urgent, we have a deadline",
        " worked fine yesterday",
        " thx",
    ),
    "de": (" bitte fixen", " noch jemand?", " gestern ging es noch", " ist dringend", " danke", " echt nervig"),
    "es": (" por favor ayuda", " ¿a alguien más?", " ayer funcionaba", " urgente", " gracias"),
    "fr": (" merci d'avance", " quelqu'un d'autre ?", " hier ça marchait", " c'est urgent", " svp"),
    "pt": (" por favor", " alguém mais?", " ontem funcionava", " urgente", " obrigado"),
    "it": (" per favore", " qualcun altro?", " ieri andava", " urgente", " grazie"),
    "tr": (" lütfen", " başka olan var mı?", " dün çalışıyordu", " acil", " teşekkürler"),
}

AGO: Phrases = {
    "en": ("this morning", "an hour ago", "10 minutes ago", "about half an hour", "2pm", "a few minutes ago"),
    "de": ("heute früh", "einer Stunde", "10 Minuten", "eben", "14 Uhr", "ein paar Minuten"),
    "es": ("esta mañana", "hace una hora", "hace 10 minutos", "hace rato", "las 14"),
    "fr": ("ce matin", "une heure", "10 minutes", "tout à l'heure", "14h"),
    "pt": ("hoje cedo", "uma hora atrás", "10 minutos atrás", "agora há pouco"),
    "it": ("stamattina", "un'ora", "10 minuti", "poco fa"),
    "tr": ("sabahtan beri", "bir saat önce", "10 dakikadır", "az önce"),
}

PLACES = {
    "DE-BY": ("München", "Nürnberg", "Augsburg", "Bayern"),
    "DE-BE": ("Berlin",),
    "DE-BW": ("Stuttgart", "Karlsruhe"),
    "DE-HE": ("Frankfurt",),
    "DE-NW": ("Köln", "Düsseldorf", "Dortmund"),
    "DE-HH": ("Hamburg",),
    "DE-SN": ("Leipzig", "Dresden"),
    "AT-9": ("Wien",),
    "FR-IDF": ("Paris",),
    "FR-ARA": ("Lyon",),
    "ES-MD": ("Madrid",),
    "ES-CT": ("Barcelona",),
    "MX-CMX": ("CDMX",),
    "BR-SP": ("São Paulo", "Campinas"),
    "BR-RJ": ("Rio",),
    "IT-25": ("Milano",),
    "IT-62": ("Roma",),
    "TR-34": ("İstanbul",),
    "TR-06": ("Ankara",),
    "GB-ENG": ("London", "Manchester", "Leeds"),
    "GB-SCT": ("Glasgow",),
    "US-CA": ("LA", "San Francisco", "San Diego"),
    "US-NY": ("NYC", "Buffalo"),
    "US-TX": ("Austin", "Houston", "Dallas"),
    "US-FL": ("Miami",),
    "US-WA": ("Seattle",),
}

EMOJI = ("😡", "🙄", "😭", "🤔", "😤", "🤷", "💀", "🙏", "😩", "⚠️")
HAPPY_EMOJI = ("🎉", "😍", "👍", "🙏", "🚀", "❤️")
