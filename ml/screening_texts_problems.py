"""Texts that report a problem, in languages other than English, for `ml.screening`.

Invariant: each says that something does not work or is wrong for the writer, in the way people type it (typos, slang,
half sentences), over many trades. All were written for this project; several stand in a line with ` | ` between. Not
here: English, and texts
that report nothing. A text more changes the fitted model and nothing else.
"""

from __future__ import annotations

from typing import Final

_TEXTS: Final = {
    "de": """
alles langsam heute | heute geht gar nichts | heute wieder kein netz | stürzt heute ständig ab |
seit heute morgen nur fehler |
kein strom seit heute früh | strom ist weg | stromausfall in der ganzen straße | bei uns ist alles dunkel, strom weg |
schon wieder stromausfall | licht flackert und dann geht nichts mehr | kein warmes wasser seit montag | heizung kaputt |
wasser kommt nur noch braun aus der leitung | internet weg | internet geht nicht | seit stunden kein internet | kaputt |
internet ausgefallen, router blinkt rot | leitung viel zu langsam, bezahle für 100 mbit | wlan bricht dauernd ab |
kein netz | kein empfang in der innenstadt | kann nicht telefonieren | anrufe brechen ab | sms kommen nicht an |
festnetz tot | fernseher zeigt kein bild | kann mich nicht einloggen | komme nicht mehr in mein konto | app stürzt ab |
anmeldung schlägt fehl | passwort falsch obwohl es stimmt | konto gesperrt ohne grund | app startet nicht mehr |
bestätigungscode kommt nicht an | app hängt sich auf seit dem update | seit dem letzten update geht nichts mehr |
lautstärke lässt sich nicht mehr regeln | weißer bildschirm beim öffnen | lieder brechen ab und spielen nicht weiter |
offline modus funktioniert nicht | video lädt nicht | stream ruckelt ständig | kein ton | seite nicht erreichbar |
seite lädt ewig | fehler 500 | serverfehler beim bezahlen | ist die seite down | geht bei euch auch nichts | störung |
totalausfall | geht nicht | funktioniert nicht | nix geht mehr | karte wird abgelehnt | überweisung kommt nicht an |
geld wurde doppelt abgebucht | falsche rechnung bekommen | abbuchung die ich nicht kenne | paket nicht angekommen |
geldautomat hat meine karte eingezogen | online banking nicht erreichbar | rückerstattung fehlt immer noch |
paket verloren | falscher artikel geliefert | niemand geht ans telefon | zug fällt aus | bus kam nicht |
hotline seit einer stunde in der warteschleife | bahn hat 60 minuten verspätung | ticketautomat defekt |
flug gestrichen | koffer ist weg | ladesäule defekt | spiel startet nicht | keine verbindung zum server |
fliege dauernd aus dem spiel | elster portal nicht erreichbar | termin kann nicht gebucht werden |
warum kann ich nicht bezahlen | warum werden meine nachrichten nicht gesendet | bitte helft mir, ich komme nicht rein |
gute app aber seit gestern spielt sie nichts mehr ab | na toll, wieder kein internet | techniker ist nicht gekommen
""",
    "es": """
sin luz | no hay luz | se fue la luz | se fue la luz otra vez | sin luz desde las 5 de la mañana | apagón | sin gas |
sin electricidad en toda la zona | no tenemos servicio eléctrico desde anoche | apagón en el centro | luz por favor |
otro apagón, hasta cuándo | nuevo apagón en la ciudad | apagón en varias zonas | apagón general en el estado | no anda |
seguimos sin luz, ya van tres días | en mi sector no hay luz ni agua | sin luz y sin agua | qué pasó con la luz |
bajones de luz toda la tarde | explotó un transformador, quedamos a oscuras | la mitad de la ciudad está a oscuras |
vecinos denuncian que no tienen servicio eléctrico | usuarios reportan fallas eléctricas en varios sectores | no carga |
reportan apagón en varias zonas de la ciudad | el metro sin servicio por el apagón | no llega agua desde el lunes |
alguna otra zona sin electricidad? | no tengo internet | internet caído | se cayó el internet | wifi no funciona |
el internet está lentísimo | sin señal en el celular | no hay cobertura | no puedo llamar | no me llegan los mensajes |
no puedo entrar a mi cuenta | no me deja iniciar sesión | la contraseña no sirve | me bloquearon la cuenta | no sirve |
no llega el código | la app no abre | la aplicación se cierra sola | se traba todo el tiempo | no funciona | error 500 |
desde la actualización no funciona nada | no me deja escuchar la música que quiero | no se reproduce la canción |
se detiene sola la música | pago premium y me salen anuncios | el video se queda cargando | sin sonido | página caída |
error al pagar | caído | se cayó el sistema | alguien más con problemas? | está caída la página? | pago rechazado |
tarjeta rechazada | me cobraron dos veces | me cobraron de más | no reconozco este cargo | la transferencia no llega |
el cajero se tragó mi tarjeta | no llegó mi pedido | el paquete no llega | nadie contesta el teléfono | el bus no pasa |
me llegó otro producto | vuelo cancelado | vuelo retrasado y nadie informa | tren parado hace media hora | ayuda |
el juego no abre | no conecta al servidor | no puedo sacar turno en la web | por qué no puedo pagar |
me gusta la app pero hoy no funciona | gracias por nada, otra vez sin servicio
""",
    "fr": """
panne de courant | plus de courant depuis ce matin | coupure d'électricité dans tout le quartier | on est dans le noir |
plus d'électricité chez nous | encore une coupure | pas d'eau chaude | plus d'eau au robinet | chauffage en panne | hs |
plus d'internet | internet ne marche plus | connexion très lente | le wifi coupe tout le temps | pas de réseau |
box en panne, voyant rouge | impossible d'appeler | je ne reçois plus les sms | impossible de me connecter | aidez-moi |
je n'arrive pas à me connecter | mot de passe refusé | compte bloqué sans raison | le code n'arrive pas | écran noir |
l'appli plante | l'application ne s'ouvre plus | l'appli se ferme toute seule | ça ne marche pas | ça marche plus |
depuis la mise à jour plus rien ne marche | ne fonctionne pas | rien ne charge | la musique s'arrête toute seule |
impossible de lire mes titres hors ligne | la vidéo ne se lance pas | pas de son | site en panne | site inaccessible |
page blanche | erreur 502 | erreur au moment du paiement | c'est en panne ? | vous avez aussi des problèmes ? |
paiement refusé | carte refusée | carte avalée par le distributeur | débité deux fois | virement non reçu | vol annulé |
prélèvement que je ne reconnais pas | remboursement toujours pas reçu | facture fausse | colis jamais arrivé |
colis perdu | mauvais article reçu | personne ne répond au téléphone | service client injoignable | train supprimé |
train en retard de deux heures | métro à l'arrêt | bagage perdu | borne de recharge hors service |
jeu impossible à lancer | déconnecté du serveur sans arrêt | site des impôts inaccessible | bravo, encore une panne |
impossible de prendre rendez-vous | pourquoi je ne peux pas payer | super appli mais depuis hier elle plante
""",
    "pt": """
sem luz | faltou luz | caiu a energia | sem energia desde ontem | apagão no bairro | apagão de novo | queda de energia |
sem água | sem internet | internet caiu | internet muito lenta | wifi não funciona | sem sinal no celular | parou |
não consigo ligar | não recebo sms | não consigo entrar | não consigo fazer login | senha errada mas está certa | caiu |
conta bloqueada | o código não chega | app não abre | o aplicativo fecha sozinho | o app trava toda hora | não carrega |
depois da atualização parou de funcionar | não funciona | não está funcionando | fora do ar | site fora do ar |
erro 500 | tela branca | a música para sozinha | não toca a música que eu escolho | não reproduz nada | vídeo travando |
pago premium e aparece anúncio | sem som | pagamento recusado | cartão recusado | pix não caiu | pix não chegou |
cobraram duas vezes | cobrança indevida | não reconheço essa compra | caixa eletrônico engoliu meu cartão |
pedido não chegou | encomenda atrasada | veio produto errado | ninguém atende | voo cancelado | ônibus não passou |
metrô parado | trem atrasado | jogo não abre | caindo do servidor toda hora | sistema do governo fora do ar |
por que não consigo pagar | mais alguém com problema? | gosto do app mas hoje não abre | ajuda por favor
""",
    "it": """
manca la corrente | è andata via la luce | senza luce da stamattina | blackout in tutto il quartiere | siamo al buio |
manca l'acqua | riscaldamento guasto | internet non va | senza internet da ieri | connessione lentissima | non va |
il wifi cade sempre | niente segnale | non riesco a chiamare | non arrivano gli sms | non riesco ad accedere | è down |
non mi fa entrare | password errata ma è giusta | account bloccato | il codice non arriva | l'app non si apre | aiuto |
l'app crasha | si chiude da sola | dopo l'aggiornamento non va più niente | non funziona | non carica | errore 503 |
sito irraggiungibile | schermata bianca | la musica si ferma da sola | i video non partono | non si sente niente |
pagamento rifiutato | carta rifiutata | addebito doppio | addebito non riconosciuto | bonifico non arrivato |
rimborso mai ricevuto | pacco mai arrivato | consegnato articolo sbagliato | nessuno risponde | treno cancellato |
treno in ritardo di un'ora | volo cancellato | autobus mai passato | colonnina guasta | il gioco non parte |
server offline | spid non funziona | non riesco a prenotare la visita | perché non posso pagare |
anche a voi non funziona? | bella app ma da ieri non parte
""",
    "nl": """
geen stroom | stroom uitgevallen | stroomstoring in de hele straat | geen water | verwarming doet het niet | storing |
geen internet | internet ligt eruit | wifi valt steeds weg | internet heel traag | geen bereik | kan niet bellen |
kan niet inloggen | wachtwoord werkt niet | code komt niet aan | account geblokkeerd | app doet het niet | werkt niet |
app crasht steeds | app start niet meer op | sinds de update werkt niks | doet het niet | plat | ligt eruit |
site is niet bereikbaar | foutmelding 500 | geen geluid | muziek stopt vanzelf | betaling mislukt | pin werkt niet |
heb wel internet maar de app laadt niets | pas geweigerd | dubbel afgeschreven | geld niet teruggekregen |
pakket niet ontvangen | verkeerd product gekregen | niemand neemt op | trein rijdt niet | trein heeft vertraging |
bus kwam niet | vlucht geannuleerd | laadpaal kapot | spel start niet | digid werkt niet | kan geen afspraak maken |
heeft iemand anders ook last van storing?
""",
    "ar": """
الكهرباء مقطوعة | انقطعت الكهرباء | ما في كهرباء من الصبح | انقطاع التيار في الحي كله | الماء مقطوع | الإنترنت مقطوع |
النت ضعيف جدا | النت لا يعمل | لا توجد شبكة | لا أستطيع الاتصال | لا أستطيع تسجيل الدخول | كلمة المرور لا تعمل | خربان |
لم يصل رمز التحقق | تم حظر حسابي بدون سبب | التطبيق لا يعمل | التطبيق لا يفتح | التطبيق يتوقف فجأة | لا يعمل | معطل |
بعد التحديث لا يعمل شيء | الموقع لا يفتح | خطأ في الخادم | يوجد عطل | تم رفض بطاقتي | لماذا تم رفض الدفع | لا يوجد صوت |
تم خصم المبلغ مرتين | لم تصل الحوالة | لم يصل المال | الصراف ابتلع بطاقتي | هناك دفعة لا أعرفها | لم تصل بطاقتي |
لم يصل الطلب | وصلني منتج خطأ | لا أحد يرد على الهاتف | تم إلغاء رحلتي | القطار متأخر | اللعبة لا تعمل | سرقت بطاقتي |
الفيديو لا يشتغل | هل عندكم نفس المشكلة؟ | لماذا لا يعمل التطبيق | ما زال التحويل معلقا
""",
    "tr": """
elektrik yok | elektrikler kesildi | sabahtan beri elektrik yok | mahallede elektrik kesintisi var | su kesik | bozuk |
doğalgaz yok | internet yok | internet kesildi | internet çok yavaş | wifi kopuyor | telefon çekmiyor | kod gelmiyor |
arama yapamıyorum | mesajlar gelmiyor | giriş yapamıyorum | hesabıma giremiyorum | şifre kabul etmiyor | çalışmıyor |
hesabım kapatıldı | uygulama açılmıyor | uygulama çöktü | sürekli kapanıyor | güncellemeden sonra çalışmıyor | çöktü |
site açılmıyor | hata veriyor | ses gelmiyor | şarkı çalmıyor | video donuyor | ödeme yapamıyorum | kartım reddedildi |
iki kere para çekildi | para iadesi gelmedi | havale ulaşmadı | atm kartımı yuttu | kargo gelmedi | yanlış ürün geldi |
kimse telefona bakmıyor | uçuş iptal oldu | tren rötarlı | oyuna giremiyorum | sunucuya bağlanmıyor |
e-devlet açılmıyor | başka sorun yaşayan var mı | neden ödeme yapamıyorum
""",
    "pl": """
nie ma prądu | brak prądu od rana | wyłączyli prąd na całej ulicy | brak wody | kaloryfery zimne, awaria ogrzewania |
nie ma internetu | internet nie działa | internet strasznie wolny | brak zasięgu | nie mogę dzwonić | nie działa |
nie mogę się zalogować | kod nie przychodzi | konto zablokowane | aplikacja się nie otwiera | aplikacja się wiesza |
po aktualizacji nic nie działa | awaria | padło | strona nie działa | błąd 500 | brak dźwięku | płatność odrzucona |
muzyka sama się zatrzymuje | karta odrzucona | pobrano pieniądze dwa razy | przelew nie doszedł | blik nie działa |
bankomat zjadł kartę | paczka nie dotarła | zły produkt w paczce | nikt nie odbiera telefonu | pociąg opóźniony |
autobus nie przyjechał | lot odwołany | gra się nie uruchamia | nie łączy z serwerem | czy u was też nie działa? |
dlaczego nie mogę zapłacić
""",
    "ja": """
停電した | 停電中です | 電気がつかない | 家の電気が消えた | 断水している | ネットが繋がらない | ネットが遅すぎる |
wi-fiが切れる | 圏外になっている | 電話がつながらない | ログインできない | ログインできません | 認証コードが届かない |
アカウントが停止された | アプリが落ちる | アプリが開かない | 起動しない | アップデートしてから動かない | 動かない |
使えない | エラーが出る | サーバーエラー | 障害発生中? | つながらない | 重い | 読み込みが終わらない | 音が出ない |
再生できない | 曲が途中で止まる | 支払いができない | カードが使えない | 二重に請求された | 返金されない | 飛行機が欠航 |
荷物が届かない | 違う商品が届いた | 電車が止まっている | 電車が遅れてる | ゲームに入れない | 不具合を直してください |
なぜ聞けないの
""",
    "ru": """
нет света | отключили электричество | нет воды | интернет не работает | нет связи | не могу войти | не работает |
приложение не открывается | приложение вылетает | после обновления всё сломалось | сайт лежит | ошибка 500 | нет звука |
не проходит оплата | деньги списали дважды | перевод не пришёл | посылка не пришла | поезд опаздывает |
песни не воспроизводятся
""",
    "id": """
mati lampu | listrik padam dari tadi | internet mati | sinyal hilang | tidak bisa login | aplikasi tidak bisa dibuka |
error terus | aplikasi keluar sendiri | lagu tidak bisa diputar | sudah bayar tapi tidak masuk | paket belum sampai |
saldo terpotong dua kali | gangguan ya? | gabisa dibuka | lemot banget hari ini
""",
    "zh": """
停电了 | 没有电 | 没网 | 登录不了 | 打不开 | 闪退 | 用不了 | 无法播放 | 付款失败 | 没有收到货 | 系统爛 無法切歌 |
當機了 | 連不上 | 更新後不能用
""",
    "ko": """
정전됐어요 | 인터넷이 안 돼요 | 로그인이 안 돼요 | 앱이 안 열려요 | 자꾸 튕겨요 | 오류가 나요 | 결제가 안 돼요 |
노래가 안 나와요 | 배송이 안 왔어요 | 안돼요
""",
    "vi": """
mất điện | mất mạng | không đăng nhập được | ứng dụng bị lỗi | không mở được | không phát được nhạc |
bị trừ tiền hai lần | chưa nhận được hàng
""",
    "th": """
ไฟดับ | เน็ตล่ม | เข้าไม่ได้ | แอปค้าง | เปิดเพลงไม่ได้
""",
    "sv": """
strömavbrott | ingen el | internet funkar inte | kan inte logga in | appen kraschar | fungerer ikke | virker ikke |
strømmen er gået | får ikke logget inn | appen åpner ikke
""",
    "hi": """
बिजली नहीं है | लाइट चली गई | इंटरनेट नहीं चल रहा | ऐप नहीं खुल रहा | लॉगिन नहीं हो रहा | light nahi hai |
app nahi chal raha
""",
    "uk": """
немає світла | не працює інтернет | не можу увійти | додаток не відкривається
""",
    "el": """
δεν έχουμε ρεύμα | δεν δουλεύει | δεν μπορώ να συνδεθώ
""",
    "fa": """
برق قطع شده | اینترنت وصل نمیشه
""",
}

PROBLEMS: Final[dict[str, tuple[str, ...]]] = {
    language: tuple(text.strip() for text in texts.split("|")) for language, texts in _TEXTS.items()
}
