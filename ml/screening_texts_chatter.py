"""Texts that report no problem, in languages other than English, for `ml.screening`.

Invariant: none says that something is wrong for the writer now. On purpose they use the nouns of problem reports
(power, lights, outage, crash, app, card, charge), for it is the words around them that must tell: praise, chatter,
figures of speech, sport, politics, advertisements, news from elsewhere, wishes, prices, questions that report nothing,
all-clears. All were written for this project; several stand in a line with ` | ` between. Not
here: English, and the
problems themselves.
"""

from __future__ import annotations

from typing import Final

_TEXTS: Final = {
    "de": """
tolle app | super app | sehr gut | bin sehr zufrieden | beste app überhaupt | ich liebe diese app | einfach spitze |
läuft super | funktioniert einwandfrei | alles bestens hier | danke für die schnelle hilfe | danke, geht wieder | ja |
strom ist wieder da, danke | vielen dank | macht spaß und bringt gute laune | gute auswahl an liedern | weiter so |
schönes wochenende | guten morgen | hallo | danke | nein | klasse service im laden | mega | zu teuer | zu viel werbung |
preise schon wieder erhöht | ich wünsche mir einen dunkelmodus | bitte mehr lieder hinzufügen | wie kann ich kündigen |
könnt ihr einen sleeptimer einbauen | schade dass man für alles premium braucht | wie ändere ich meine adresse |
wo finde ich meine rechnung | wann kommt das neue modell | wie hoch ist die gebühr | kann ich im ausland bezahlen |
wann habt ihr geöffnet | gibt es studentenrabatt | jetzt 20 prozent rabatt sichern | wir suchen elektriker |
gewinnspiel: folge uns und gewinne | was für eine power im zweiten satz | mein akku ist leer, ich geh schlafen |
heute hatte ich in der prüfung einen totalausfall im kopf | licht aus und gute nacht | ökostrom ist die zukunft |
das licht der stadt bei nacht, wunderschön | der strompreis ist ein politisches thema | neue single jetzt überall |
stromausfall in argentinien, millionen ohne strom | rückblick auf den großen stromausfall 2005 |
tipps für den fall eines stromausfalls | der minister sagt die netze sind sicher | bei uns kein ausfall, alles läuft |
wer geht heute abend aus
""",
    "es": """
excelente app | muy buena | me encanta | la mejor aplicación | es la mejor, 100 recomendada | todo perfecto | gracias |
muy práctica y fácil de usar | funciona muy bien | me gusta mucho | buen servicio | muchas gracias por la ayuda | hola |
gracias, ya funciona | ya llegó la luz | volvió la luz, gracias a los trabajadores | gracias por la información | bien |
gracias por ayudarnos con los reportes | buenos días | feliz domingo | genial | amo esta app | increíble | muy caro |
música muy buena | muchos anuncios | demasiada publicidad | subieron los precios | ojalá tuviera modo oscuro |
quisiera que agregaran más canciones | sin premium no se puede hacer nada | cómo cambio mi clave | a qué hora abren |
cómo cancelo mi plan | cuánto cuesta el envío | dónde queda la tienda | cuándo sale el nuevo álbum | hágase la luz |
puedo usar la tarjeta en el extranjero | descuento del 50 solo hoy | sorteo, sigue la cuenta y comparte |
se busca electricista | qué noche, luces y música | la luz de mis ojos | tú eres la luz de mi vida | poder popular |
luz al final del túnel | feliz cumpleaños luz marina | a media luz, un tango | el poder del amor |
los políticos solo quieren poder | alertan sobre el riesgo de un apagón | hace un año fue el gran apagón |
expertos advierten de posibles apagones el próximo año | recordando el apagón de 2008 | el estadio estaba eléctrico |
consejos para prepararse ante un apagón | documental sobre la crisis eléctrica | aquí no se ha ido la luz, todo bien |
apagón en argentina dejó a millones sin servicio | ministro inaugura nueva planta eléctrica |
gobierno promete mejorar el sistema eléctrico | la corrupción acabó con el sistema eléctrico |
se me apagó el cerebro en el examen | guitarra eléctrica en venta
""",
    "fr": """
super appli | très bien | j'adore | meilleure application | géniale | au top | très bonne appli, je recommande | merci |
fonctionne très bien | tout marche chez moi | merci beaucoup pour votre aide | merci ça remarche | bonjour | oui | non |
le courant est revenu, merci | parfait pour écouter de la musique | beaucoup de choix musicaux | bonne soirée |
trop de pub | trop cher | les prix ont encore augmenté | dommage que tout soit payant | ajoutez plus de chansons svp |
ce serait bien d'avoir un mode sombre | comment changer mon adresse | comment résilier | combien coûte la livraison |
à quelle heure ouvrez-vous | puis-je utiliser ma carte à l'étranger | quand sort le nouvel album | la ville lumière |
promo moins 50 aujourd'hui | concours : abonnez-vous pour gagner | on recrute un électricien | le pouvoir aux gens |
quelle puissance ce morceau | lumière magnifique ce soir | panne de cerveau ce matin haha | panne d'inspiration |
coupure pub et on revient | le nucléaire est un débat politique | une panne géante a touché l'espagne l'an dernier |
les experts craignent des coupures cet hiver | pas de coupure chez nous, tout va bien | on sort ce soir
""",
    "pt": """
amei | ótimo app | muito bom | melhor aplicativo | adoro | perfeito | recomendo | funciona bem | tudo certo por aqui |
obrigado | obrigada pela ajuda | obrigado, voltou a funcionar | a luz voltou | bom dia | oi | legal | top | muito caro |
música boa demais | muito anúncio | muita propaganda | tem que pagar pra tudo | podia ter modo escuro | que horas abre |
coloquem mais músicas | como troco meu endereço | como cancelo o plano | quanto custa a entrega | promoção só hoje |
posso usar o cartão fora do país | quando lança o novo álbum | sorteio, siga e compartilhe | vaga para eletricista |
luz da minha vida | luz, câmera, ação | que energia boa nesse show | boas energias para todos | o poder do amor |
deu apagão na minha cabeça na prova | apagão de 2001 foi histórico | especialistas alertam para risco de apagão |
política energética do governo | aqui não faltou luz, tudo normal
""",
    "it": """
ottima app | bellissima | la migliore | molto bella | mi piace molto | consigliata | funziona benissimo | tutto ok qui |
grazie | grazie mille per l'aiuto | grazie, ora funziona | è tornata la luce | buongiorno | ciao | perfetto |
tante canzoni e belle | troppa pubblicità | troppo caro | prezzi aumentati | vorrei la modalità scura | come disdico |
aggiungete più canzoni | come cambio indirizzo | quanto costa la spedizione | a che ora aprite | sconto solo oggi |
posso usare la carta all'estero | quando esce il nuovo album | cercasi elettricista | che potenza questa canzone |
luci della città, che spettacolo | ho avuto un blackout all'esame haha | il potere dell'amore |
vent'anni fa il grande blackout | esperti avvertono del rischio blackout | qui nessun blackout, tutto bene
""",
    "nl": """
geweldige app | beste app | heel goed | erg tevreden | fijne app, aanrader | werkt prima | alles doet het hier | leuk |
bedankt | dank je wel voor de hulp | het werkt weer, dank | stroom is er weer | goedemorgen | te veel reclame |
te duur | graag een donkere modus | hoe wijzig ik mijn adres | hoe zeg ik op | wat kost de verzending |
hoe laat gaan jullie open | kan ik in het buitenland pinnen | korting alleen vandaag | volg ons en win |
wat een energie vanavond | licht uit en slapen | black-out tijdens mijn examen haha | hier geen storing |
grote stroomstoring in spanje vorig jaar
""",
    "ar": """
تطبيق رائع | ممتاز | جميل جدا | أحب هذا التطبيق | أفضل تطبيق | شكرا | شكرا لكم على المساعدة | رجعت الكهرباء الحمد لله |
كل شيء يعمل جيدا | صباح الخير | مرحبا | جيد | غالي جدا | إعلانات كثيرة | أتمنى إضافة الوضع الليلي | كيف أغير عنواني |
كيف ألغي الاشتراك | كم تكلفة الشحن | كم رسوم التحويل | ما هي العملات المدعومة | أين يمكنني استخدام البطاقة | قوة الحب |
هل يمكنني استخدام البطاقة في الخارج | هل يمكنني الحصول على بطاقة ثانية | متى تفتحون | ما هو سعر الصرف اليوم |
كم عمري لفتح حساب | خصم اليوم فقط | تابعنا واربح | نور حياتي | الكهرباء في بيروت قضية سياسية
""",
    "tr": """
harika uygulama | çok güzel | süper | bayıldım | en iyi uygulama | çok iyi | tavsiye ederim | sorunsuz çalışıyor |
bende sorun yok | teşekkürler | yardımınız için teşekkür ederim | düzeldi, teşekkürler | elektrik geldi | günaydın |
merhaba | tebrik ederim | çok reklam var | çok pahalı | premium olmadan hiçbir şey yapılmıyor | karanlık mod gelsin |
daha fazla şarkı ekleyin | adresimi nasıl değiştiririm | üyeliği nasıl iptal ederim | kargo ücreti ne kadar |
kaçta açılıyorsunuz | yurt dışında kullanabilir miyim | bugüne özel indirim | takip et kazan | ışıklar çok güzel |
sınavda beynim durdu haha | aşkın gücü
""",
    "pl": """
świetna aplikacja | bardzo dobra | polecam | najlepsza | działa bez problemu | u mnie wszystko działa | dziękuję |
dzięki za pomoc | już działa, dzięki | prąd wrócił | dzień dobry | za dużo reklam | za drogo | jak zmienić adres |
przydałby się tryb ciemny | dodajcie więcej piosenek | jak zrezygnować | ile kosztuje dostawa | o której otwieracie |
czy mogę płacić za granicą | promocja tylko dziś | ale energia na koncercie | miałem zaćmienie na egzaminie haha |
fajnie działa na telefonie
""",
    "ja": """
最高 | 最高のアプリです | とても良い | 使いやすい | 大好き | ありがとう | ありがとうございます | 電気が戻った |
直りました、ありがとう | おはようございます | 問題なく使えています | 曲が多くて嬉しい | 懐かしい曲が聴ける | 神アプリ |
いい曲ですね | おすすめです | 広告が多い | 値段が高い | 無料にしてほしい | ダークモードを追加してください |
曲を増やしてほしい | 住所を変更するには | 解約方法を教えて | 送料はいくらですか | 何時に開きますか | 今日だけ半額 |
フォローして応募 | 夜景がきれい
""",
    "ru": """
отличное приложение | очень классное приложение | супер | спасибо | всё работает | мне нравится | лучшее приложение |
много рекламы | дорого | как изменить адрес | добавьте тёмную тему | свет дали, спасибо
""",
    "id": """
bagus banget | aplikasi bagus | suka banget | mantap | keren | terima kasih | listrik sudah nyala | mahal |
terlalu banyak iklan | harus premium terus | tolong tambah lagu | bagaimana cara ganti alamat | berapa ongkirnya
""",
    "zh": """
很好用 | 非常好 | 喜欢 | 谢谢 | 最棒的音樂app | 廣告太多 | 太贵了 | 怎么修改地址 | 希望增加深色模式 | 来电了
""",
    "ko": """
너무 좋아요 | 최고예요 | 감사합니다 | 잘 쓰고 있어요 | 광고가 너무 많아요 | 비싸요 | 다크 모드 추가해주세요
""",
    "vi": """
ứng dụng rất tốt | tuyệt vời | rất hay | cảm ơn | nhiều quảng cáo quá | có điện lại rồi | nghe nhạc rất thích
""",
    "th": """
ดีมาก | ชอบมาก | ขอบคุณ | โฆษณาเยอะ
""",
    "sv": """
veldig bra app | elsker den | bästa appen | jeg elsker det | mye bra musikk | tusen takk | super god app |
tack för hjälpen
""",
    "hi": """
बहुत अच्छा | बढ़िया ऐप | धन्यवाद | लाइट आ गई | bahut accha app hai | bohot badhiya
""",
    "uk": """
чудовий додаток | дякую
""",
    "el": """
πολύ καλό | ευχαριστώ | τέλεια εφαρμογή
""",
    "fa": """
عالی بود | ممنون
""",
}

CHATTER: Final[dict[str, tuple[str, ...]]] = {
    language: tuple(text.strip() for text in texts.split("|")) for language, texts in _TEXTS.items()
}
