"""What tells a failure that goes on now from all else that is a problem report, for `ml.failing`.

Invariant: `NO_FAILURE` texts may be true complaints, but nothing fails in them now, neither for the writer nor in a
place: bills, prices, contracts, policies, sales and staff, what is over, what is planned or feared, what happened
elsewhere or long ago, wishes, opinions. `FAILURE` texts say that something does not work now; they stand beside the
problems of `ml.screening`, of which `COMPLAINTS` names those that belong on the other side. All were written for this
project, apart from any recording; several stand in a line with ` | ` between. Not here: chatter, which is the
screening's and fails in nothing.
"""

from __future__ import annotations

from typing import Final

_NO_FAILURE_TEXTS: Final = {
    "en": """
my bill went up again without notice | they raised my bill by twelve dollars | bill shock this month |
billing complaint | my bill is higher than last month and nobody can say why | why is my bill so high |
incorrect bill | billing dispute | complaint about my bill | billing and price increase |
billed for a month i was not a customer | billing practices | they keep adding fees to my bill |
hidden fees everywhere | late fee although i paid on time | unfair late fee | early termination fee is outrageous |
termination fee for a contract i never signed | activation fee was never mentioned | installation fee charged twice |
rental fee for a box i own | i was promised no fees | fees, fees and more fees | modem rental charge |
equipment charge | unauthorized charges | unexpected charges | fraudulent billing | double billing |
overcharged for months | overcharging customers | overage charges are a rip off | data overage charges |
usage charges | unfair data caps | data cap complaint | data limits on home internet | the monthly cap is ridiculous |
remove the cap | charging extra for going over an arbitrary limit | i oppose data caps |
usage based billing is greed | data usage limit | metered plans are unfair to families who stream |
they count data i never used | my usage meter is wrong | usage meter | cap on my unlimited plan |
unlimited is not unlimited | fair use policy is a joke | fair usage limit | data plan |
throttling policy for heavy users is unfair | net neutrality violation | the provider favours its own video service |
price gouging | price hike | prices doubled within a year | price increase after the promotion ended | rate increase |
promotional rate not honored | the promised discount never appeared | bait and switch pricing |
misleading advertisement | false advertising | deceptive sales practices | deceptive marketing |
the salesman lied about the contract | scam company | they signed me up for services i did not ask for |
added a line without my consent | slamming | cramming | contract dispute | contract dispute with the provider |
they changed my plan without asking | forced to upgrade my plan | forced bundle | forced to rent their equipment |
made me buy tv to get internet | bundle is cheaper than internet alone, absurd | locked into a two year contract |
can't get out of my contract | they will not let me cancel | cancelling took two hours | cancellation complaint |
cancelled months ago and still get bills | refuse to cancel my account | retention agents lie | refund dispute |
still no refund of my deposit | they owe me money | promised credit never applied | credit not applied |
rebate denied | gift card promised at sign up never came | reward card not honoured |
sent to collections over 30 dollars | debt collector calls for a bill that isn't mine |
wrongly reported to a credit bureau | my credit score was damaged |
fraud on my account, someone opened service in my name | identity theft complaint | privacy complaint |
they sell my data | unwanted calls from their sales team | telemarketing calls every day |
junk mail from the company | stop spamming me | harassing sales calls | door to door salesman would not leave |
rude customer service | rude agent | lousy customer service | customer service complaint |
worst customer service ever | agents give different answers | representative lied to me |
supervisor refused to call back | they never call back | lied to by customer service | unprofessional technician |
technician was rude and damaged my wall | technician wanted cash | missed appointments |
appointment was rescheduled again | monopoly in my area | no competition here | no choice of provider |
lack of competition | they abuse their monopoly | only one company serves our street |
service not offered at my address | they will not build out to our road |
quoted thousands to run a cable to my house | availability at my address | company refuses to serve our neighborhood |
terms of service changed | arbitration clause is unfair | new privacy policy is creepy |
i disagree with the new rules | account policy is discriminatory | credit check was not authorised |
deposit required for no reason | security deposit | the merger would hurt customers | please stop the merger |
regulators should act | i want the commission to investigate | file a complaint with the regulator |
i will switch providers next month | thinking of cutting the cord | boycott them | greedy company | corporate greed |
shame on this company | they do not care about customers | dishonest company | fraud, plain and simple | robbery |
this company is a scam | ripped off | they cheat customers | complaint | false claims |
too expensive for what you get | not worth the money any more | premium costs more every year |
family plan is overpriced | refund policy is unfair | return shipping is too expensive |
i want my money back because i don't like it | tariff increase is unaffordable |
electricity rates are going up in january | my electric bill doubled this winter |
power company wants to raise rates | water bill is ridiculous | estimated meter reading is too high |
meter reading dispute | petition against the rate increase | council meeting about electricity prices tonight |
who pays for the new power lines | the power company should bury the lines |
they should invest in the grid instead of bonuses | blame the utility board | privatisation ruined the grid |
the minister must resign over the blackouts | energy policy is a disaster |
the government has no plan for the power crisis | experts explain why the blackout happened |
analysis: what caused the outage | report blames old equipment for last month's outage |
a year ago today we had the great blackout | remember the blackout of 2003 |
back in the ice storm we had no power for two weeks | last year's outage cost us a fortune |
last night's outage lasted three hours, all good now | power was out yesterday but it is back | outage is over |
we lost power for a minute, back on now | service was restored this morning | lights came back just in time |
company explains yesterday's outage | compensation for last week's outage |
how to claim for spoiled food after an outage | lessons from the big outage | timeline of the outage |
podcast about the outage | the outage made me read a whole book | planned outage next tuesday from nine to noon |
scheduled maintenance on sunday night | maintenance window announced | planned power shutoffs may begin on wednesday |
utility may cut power next week because of wind | be ready for a blackout | what to do when the power goes out |
ten tips for a power outage | what to keep at home in case of an outage |
make sure your phone is charged in case the power goes out | buy a generator before the storm comes |
storm is coming | hope we don't lose power tonight | fingers crossed the power stays on |
if the power goes out i'm going to cry | i'm afraid the lights will go out this winter |
watch the power go out right before the finale, i bet | imagine the internet goes down for a week |
what would you do without power for a month | when the wifi is down you meet your family |
big outage hits airline in asia, thousands stranded | millions without power in another country |
blackout hits island nation | bank of another country had an outage, says paper | stock falls after outage |
shares drop after network failure | court rules on the outage case | lawsuit over the blackout |
senate hearing about the grid | mayor speaks about the outage | utility wins award for restoring power |
lineman of the year | thank you linemen | crews did a great job after the storm | power restored | power is back |
all customers are back online | everything is running again | it was fixed quickly | game was lights out tonight |
he shot lights out from three | their defence was lights out | that dress is lights out | lights out, good night |
the show was lights out | lights out by ten tomorrow, big race | out like a light | lights out challenge |
lights out: the movie tonight | playing lights out in the dark with friends | going lights out on this workout |
turned the lights off for the movie | lights off, candles on, date night | turn off the lights and dance |
candidate has no power over his party | power went to his head | she holds all the power |
the power is in your hands | power out of the corner, great exit | power move of the day |
he threw the switch on his season | powerful sermon today | debate tonight: who has the power |
lights went out on their season | they lost power in the election | shut off the haters | blackout drunk last night |
blacked out at the party | media blackout on this story | blackout curtains are the best |
wish list for the next version | please add a family plan | i'd like an option to hide this |
add support for my watch please | the old layout was better | i dislike the new icon | ads are too long |
too many ads between songs | ads every two minutes | the algorithm plays only famous songs | recommendations are bad |
only six skips an hour | can't choose songs without paying | they removed the lyrics for free users |
features are now behind a paywall | everything costs money now | free plan is useless | subscription is a trap |
charged after the free trial | forgot to cancel the trial and they kept my money |
i have been a customer for twenty years and this is how i'm treated | loyal customers pay more than new ones |
new customers get a better price | why do i have to pay for an app i don't use | how do i lower my bill |
question about my bill | how do i dispute a charge | who do i contact about a bill | request for information |
inquiry about a refund | i would like to know the terms | suggestion: cheaper plan for seniors |
feedback about your store | staff at the shop was rude
""",
    "es": """
me subieron la factura | la factura viene muy cara | cobros indebidos en la factura | reclamo por la factura |
tarifazo | me cobran por un servicio que no pedí | cobran de más todos los meses | subieron el precio sin avisar |
muy caro todo | la luz está cada vez más cara | aumento de tarifas de electricidad | tarifas abusivas |
precio abusivo | contrato abusivo | límite de datos injusto | publicidad engañosa | el vendedor me mintió |
no me dejan cancelar el contrato | quiero cancelar | me siguen cobrando después de cancelar |
no me devuelven el depósito | llamadas de publicidad todos los días | mala atención al cliente |
el empleado fue grosero | es un monopolio | no hay competencia | empresa estafadora | qué ladrones |
demasiados anuncios | sin pagar no se puede hacer nada | quitaron funciones de la versión gratis |
ojalá agreguen más opciones | ministro anuncia plan eléctrico | el gobierno culpa al sabotaje por el apagón |
expertos explican las causas del apagón | hace un año fue el apagón | ayer se fue la luz pero ya volvió |
volvió la luz | ya llegó la luz | restablecido el servicio | servicio restituido en toda la ciudad |
el apagón de anoche duró tres horas | recuerdos del gran apagón | corte programado para el martes |
mantenimiento programado el domingo | anuncian racionamiento para la próxima semana | qué hacer durante un apagón |
consejos para cuidar los electrodomésticos | diputado denuncia corrupción en la empresa eléctrica |
trabajadores eléctricos exigen mejores salarios | sindicato denuncia falta de inversión |
sin inversión habrá más apagones | ojalá no se vaya la luz esta noche | si se va la luz me muero |
el apagón es culpa del gobierno | el régimen destruyó el país | opinión: la crisis eléctrica |
análisis de la crisis eléctrica | entrevista al ingeniero sobre el sistema eléctrico |
protesta por el alto costo de la luz | inauguran nueva subestación | tiempos oscuros para el país |
apagón informativo | apagón en japón tras el terremoto | millones sin luz en otro país
""",
    "de": """
rechnung viel zu hoch | schon wieder eine preiserhöhung | strompreis steigt im januar | abschlag wurde erhöht |
abzocke | falsche abrechnung | mahngebühr obwohl ich bezahlt habe | versteckte kosten |
drosselung nach 10 gb ist frech | datenvolumen ist ein witz | vertrag wurde einfach verlängert |
kündigung wird nicht akzeptiert | kündigung ignoriert | ich wurde am telefon zu einem vertrag überredet |
werbeanrufe jeden tag | irreführende werbung | kundenservice unfreundlich | mitarbeiter war unverschämt |
kein anderer anbieter verfügbar | monopol | neukunden zahlen weniger | zu viel werbung | ohne premium geht nichts |
gratisversion ist nutzlos | das neue design gefällt mir nicht | wünsche mir mehr optionen |
stromausfall gestern, jetzt ist alles wieder gut | strom ist wieder da | störung ist behoben | läuft wieder |
geplante abschaltung am dienstag | wartung am sonntag angekündigt | was tun bei stromausfall |
vorbereitung auf den blackout | experten warnen vor blackout im winter | energiepolitik ist ein desaster |
die regierung ist schuld | netzentgelte steigen | entschädigung für den ausfall letzte woche |
vor einem jahr war der große stromausfall | stromausfall in einem anderen land
""",
    "fr": """
facture trop élevée | encore une hausse de prix | facture incorrecte | frais cachés | frais de résiliation abusifs |
arnaque | le prix a doublé | augmentation du tarif de l'électricité |
prélevé pour une option que je n'ai pas demandée | trop cher | limite de données injuste | publicité mensongère |
le vendeur a menti | impossible de résilier mon contrat | démarchage abusif | service client désagréable |
conseiller impoli | aucun autre opérateur chez nous | monopole | trop de publicités | tout est payant |
la version gratuite ne sert à rien | je n'aime pas le nouveau design | le courant est revenu | c'est réparé |
panne hier soir, tout est rentré dans l'ordre | coupure programmée mardi | maintenance prévue dimanche |
que faire en cas de coupure | les experts craignent un blackout | politique énergétique désastreuse |
c'est la faute du gouvernement | indemnisation pour la panne | il y a un an la grande panne |
grande panne à l'étranger
""",
    "pt": """
conta muito alta | aumentaram a conta sem avisar | cobrança abusiva | tarifa de energia vai subir |
cobram por serviço que não pedi | propaganda enganosa | o vendedor mentiu | não deixam cancelar o contrato |
continuam cobrando depois do cancelamento | golpe | ligações de telemarketing todo dia |
atendimento péssimo e grosseiro | monopólio | limite de dados injusto | caro demais | anúncio demais |
versão grátis não serve pra nada | só funciona pagando premium | não gostei do novo visual | a luz voltou |
já voltou tudo | faltou luz ontem mas já voltou | desligamento programado na terça | manutenção programada |
o que fazer em um apagão | risco de apagão no verão | culpa do governo | audiência sobre o apagão |
apagão em outro país
""",
    "it": """
bolletta troppo alta | ancora un aumento | addebiti nascosti | costi di recesso assurdi | truffa |
il venditore ha mentito | pubblicità ingannevole | non mi fanno disdire | continuano a farmi pagare |
operatore maleducato | monopolio | troppo caro | limite di dati ingiusto | telefonate pubblicitarie ogni giorno |
troppa pubblicità | senza premium non si fa niente | è tornata la corrente | risolto, grazie |
ieri blackout, oggi tutto ok | interruzione programmata martedì | manutenzione prevista |
cosa fare in caso di blackout | rischio blackout in inverno | colpa del governo | un anno fa il grande blackout
""",
    "nl": """
rekening veel te hoog | alweer een prijsverhoging | verborgen kosten | oplichting | verkoper heeft gelogen |
misleidende reclame | opzeggen lukt niet, ze weigeren | blijven incasseren na opzegging | onbeleefde klantenservice |
monopolie | te duur | datalimiet is belachelijk | te veel reclame | zonder premium kan je niks | stroom is terug |
storing is opgelost | gisteren storing, nu weer goed | gepland onderhoud dinsdag | wat te doen bij stroomuitval |
schuld van de overheid
""",
    "ar": """
الفاتورة مرتفعة جدا | رفعوا السعر بدون إشعار | رسوم مخفية | نصب واحتيال | خدمة العملاء سيئة |
لا يريدون إلغاء الاشتراك | حد البيانات غير عادل | إعلان مضلل | عادت الكهرباء | تم إصلاح العطل |
انقطاع مبرمج يوم الثلاثاء | صيانة مجدولة | ارتفاع أسعار الكهرباء | الحكومة هي السبب | كل شيء بفلوس | إعلانات كثيرة جدا
""",
    "tr": """
fatura çok yüksek | yine zam geldi | gizli ücretler | dolandırıcılık | iptal etmiyorlar |
müşteri hizmetleri çok kaba | kota haksız | yanıltıcı reklam | elektrik geldi | sorun çözüldü |
salı günü planlı kesinti | planlı bakım | suçlu hükümet | reklam çok fazla | her şey ücretli | elektriğe zam
""",
    "pl": """
rachunek za wysoki | znowu podwyżka | ukryte opłaty | oszustwo | nie chcą rozwiązać umowy | niemiła obsługa |
monopol | limit danych jest niesprawiedliwy | prąd wrócił | awaria usunięta | planowana przerwa we wtorek |
prace konserwacyjne | za dużo reklam | wszystko płatne | podwyżki cen prądu | wina rządu
""",
    "ja": """
料金が高すぎる | また値上げ | 請求額がおかしい | 解約させてくれない | 対応が悪い | データ制限が不公平 |
広告が多すぎる | 停電から復旧しました | 昨日の停電は直った | 計画停電のお知らせ | メンテナンス予定 |
無料では何もできない
""",
    "ru": """
счёт слишком большой | опять подняли цены | скрытая плата | мошенники | не дают отключить услугу |
хамство в поддержке | свет дали | всё починили | плановое отключение во вторник | слишком много рекламы | всё платное
""",
}

_FAILURE_TEXTS: Final = {
    "en": """
outage | internet outage | power outage | service outage | total loss of service | loss of service | loss of signal |
frequent outages | constant outages | routine outages and slow speed | internet keeps going out |
internet unreliable | connection unreliable | unreliable service | slowness of the internet |
upload and download speed far too low | no internet for six days and nobody comes | without service for a week |
service never worked since installation | installed last week and still not working | phone line dead | cable out |
tv out | no cable signal | channels freeze | power outage in midtown |
reported outage in the west side, about 4,000 customers | traffic lights out on main street |
outage reported near the hospital | large outage on the east side right now | whole county is without electricity |
thousands without power here after the storm | power lines down on our road, no electricity | power out at the mall |
power is out at the airport | our campus is out of power | lost electricity at 6 pm | no power since 4am |
without lights since last night | no power | power out | lights out here | lights out in my building |
lights just went out | everything went dark | still out | still dark | still offline | down for hours |
out since noon | anyone else without power | anyone know why the power is out | the power keeps flickering |
transformer exploded behind my house | crews are here but no power yet |
storm knocks out power to thousands of homes | wind has knocked out power for 90,000 customers |
40,000 homes without power | tens of thousands still in the dark after the storm |
more than a million customers lost power | traffic signals out across the city |
power outage affects 2,300 customers near the harbour | outages across the county, crews assess damage |
schools closed today due to power outages | we just lost power | we lost power | just lost power and internet |
the power just went out | power is out all over town | power's out at home | third time this week the power is out |
second outage in two days | surviving the outage by candlelight | school is cancelled because of the outage |
the store closed early due to a power outage | event postponed, no power at the hall |
still waiting for our power to come back | network outage in our region right now | bank's app down for thousands |
customers report problems with calls | users cannot send messages, company is looking into it |
trains stand still after a signal failure | can't reach the website | app is not responding | cannot pay |
payments do not go through | login is failing for everyone
""",
    "es": """
sin luz en toda la zona | sin luz en el centro | reportan sin luz en varios sectores | apagón en este momento |
se acaba de ir la luz | se registra un apagón en gran parte de la ciudad | apagón afecta a varias zonas |
fuerte apagón deja a oscuras la capital | varios sectores sin servicio eléctrico a esta hora |
¿hasta cuándo? otra vez sin luz | sin electricidad desde la madrugada | se fue la luz en toda la ciudad |
falla eléctrica deja sin luz a varios municipios | usuarios reportan apagón | a esta hora seguimos sin luz |
a oscuras | todo oscuro | sin servicio eléctrico | sin sistema | otra vez sin luz, van cinco horas |
el norte de la ciudad sin electricidad | fluctuaciones de luz y se fue | explosión en la subestación, todo a oscuras |
no hay metro por falla eléctrica | nos quedamos sin luz
""",
    "de": """
stromausfall in der innenstadt | störung seit heute früh | kein strom im ganzen viertel | ausfall |
alles dunkel hier | stadtteil ohne strom | netz ausgefallen | dienst nicht erreichbar | seit stunden offline |
immer noch kein strom
""",
    "fr": """
panne | panne générale | quartier sans courant | tout est noir ici | toujours pas de courant | réseau tombé |
plus de service depuis midi | coupure en cours | site hors ligne
""",
    "pt": """
apagão agora | bairro sem luz | tudo escuro aqui | ainda sem luz | cidade inteira sem energia | serviço fora |
sem sistema
""",
    "it": """
blackout in corso | quartiere senza corrente | tutto buio qui | ancora senza luce | servizio non disponibile
""",
    "nl": """
stroom weg in de hele wijk | alles donker hier | nog steeds geen stroom | dienst niet bereikbaar
""",
    "ar": """
انقطاع الكهرباء الآن | المدينة كلها بدون كهرباء | ما زالت الكهرباء مقطوعة | الخدمة متوقفة
""",
    "tr": """
şu an elektrik yok | bütün mahalle karanlık | hâlâ elektrik yok | hizmet çöktü
""",
    "pl": """
cała dzielnica bez prądu | ciemno wszędzie | nadal nie ma prądu | usługa nie działa
""",
    "ja": """
今停電している | まだ停電中 | 街全体が真っ暗 | サービスが落ちている
""",
    "ru": """
весь район без света | до сих пор нет света | сервис не работает
""",
}

# Problems of the screening's in which nothing fails: money, contracts and people. Word for word as they stand there.
_COMPLAINTS: Final = """
wrong bill | why was i charged a fee | why is the fee so high on this withdrawal, that's not right |
overcharged again | fraudulent charge on my account | unknown transaction on my statement | i was charged twice |
charged double | fraud on my account | double charge on my statement | extra charge i never agreed to |
charged for a modem i own | billing error | billing issue | i have been billed for equipment i returned |
refund not received | bill is wrong for the third month | misled about the price, billed more than agreed |
bill is higher than the price they quoted me | still waiting for my refund |
collection notice for a bill that was paid | refund missing after three weeks | exchange rate applied is wrong |
food was cold and half the order missing | nobody answers the phone | on hold for two hours |
very poor customer service | customer service hung up on me | no reply to my messages for a week | service refused |
they refuse to give me my money back | bill is double | refund | no refund | billed after cancellation |
charged for equipment i never had | charged for something i returned a year ago | wrong charge |
they owe me a refund | they keep charging me after i cancelled | double billing | billing problem | billing dispute |
wrong fee | complaint about service | bait and switch on my bill | unable to cancel, they keep transferring me |
incorrect billing | got food poisoning from your place | milk i bought is sour | the till charged me the wrong price |
worm in the salad | how come i was charged for a withdrawal | what is this fee on my account |
i got a fee i don't understand | improper charges | i see a charge that isn't mine |
the exchange rate used was not what you showed | i'm owed a deposit you never returned |
you keep my money and give no answer | the clerk yelled at me and put the phone down |
cheese was green when i opened the pack | one pound too much on the statement |
a tiny charge i can't place showed up | Thank you for the refund, but the amount is wrong |
Why did I get charged twice? | How do I get my money back for a cancelled flight | Can someone explain this charge |
Can you look into this, I was billed for last year's plan | scammed, paid and got nothing | unfair collection claim |
unfair charge on my bill, I never used it | collection agency after I paid everything | cancellation not processed |
false charge for a box I gave back | identity theft on my account | cancellation problem | missed appointment |
service complaint | complaint about billing |
I was overbilled, called four times, and each time they promised a credit that never came |
three messages sent and silence from you | disappointed, arrived broken and nobody cares | installer never came |
technician missed the appointment twice | i've contacted support three times with no help | double payment |
driver dropped us two streets away and says it was our wish | driver cancelled on me three times |
trash was not collected this week | blocking of streaming on my console | geld wurde doppelt abgebucht |
falsche rechnung bekommen | abbuchung die ich nicht kenne | niemand geht ans telefon |
hotline seit einer stunde in der warteschleife | rückerstattung fehlt immer noch | techniker ist nicht gekommen |
me cobraron dos veces | me cobraron de más | no reconozco este cargo | nadie contesta el teléfono | débité deux fois |
prélèvement que je ne reconnais pas | remboursement toujours pas reçu | facture fausse |
personne ne répond au téléphone | cobraram duas vezes | cobrança indevida | não reconheço essa compra |
ninguém atende | addebito doppio | addebito non riconosciuto | rimborso mai ricevuto | nessuno risponde |
dubbel afgeschreven | geld niet teruggekregen | niemand neemt op | تم خصم المبلغ مرتين | لا أحد يرد على الهاتف |
هناك دفعة لا أعرفها | iki kere para çekildi | para iadesi gelmedi | kimse telefona bakmıyor |
pobrano pieniądze dwa razy | nikt nie odbiera telefonu | 二重に請求された | 返金されない | деньги списали дважды
"""


def _split(texts_by_language: dict[str, str]) -> dict[str, tuple[str, ...]]:
    return {
        language: tuple(text.strip() for text in texts.split("|") if text.strip())
        for language, texts in texts_by_language.items()
    }


NO_FAILURE: Final[dict[str, tuple[str, ...]]] = _split(_NO_FAILURE_TEXTS)
FAILURE: Final[dict[str, tuple[str, ...]]] = _split(_FAILURE_TEXTS)
COMPLAINTS: Final = tuple(text.strip() for text in _COMPLAINTS.split("|"))
