"""English texts that report a problem: what `ml.screening` learns a problem report from.

Invariant: each says that something does not work or is wrong for the writer, in the way people type it (typos, slang,
half sentences), over many trades. All were written for this project; several stand in a line with ` | ` between. Not
here: other languages, and texts that report nothing. A text more changes the fitted model and nothing else.
"""

from __future__ import annotations

from typing import Final

_TEXTS: Final = {
    "en": """
very slow today | everything is slow today | so laggy today | laggy tonight, unplayable | checkout is broken today |
the new design broke checkout | the redesign broke the search | new update broke notifications | app is super slow |
app super slow this morning | site very slow tonight | slow again today | happy monday, vpn is down |
nothing loads today | good morning, mail is down again | down today for anyone else? |
page not found on every link | pages take forever today | laggy as hell since the patch | so slow right now |
login broken tonight | payments failing today | 404 everywhere today | great, servers are down again today |
all day today no signal | today the app just closes | still broken this morning |
power is out on our street since 6 | lost power about ten minutes ago | no power in the whole building |
no electricity since last night, food in the freezer is going bad | power just went out again |
my power went out during the storm | still no power here, day 3 | still without power, going on 14 hours |
we've been without electricity since noon | lights out in the entire neighborhood | my lights won't come back on |
lights keep flickering and then everything goes dark | half of my block has power and my side doesn't |
power outage at the office, everyone sent home | power outage downtown, traffic lights are dead |
the power went out at work so we are sitting in the dark | power cut again, third one this week! |
transformer blew up, whole road is dark | a tree fell on the power line, no lights | blackout here, anyone else? |
lost power at the gym mid workout lol | sitting in the dark, power's been off since the thunder | internet is down |
electric is off, fuse box looks fine | when is the power coming back?? it's freezing | power surge fried my router |
any idea when power will be restored in Maple Grove | classes cancelled, campus has no power | no internet since 9am |
we are closed today because of a power outage, sorry for the inconvenience | dinner by flashlight thanks to the outage |
watching the storm by candlelight because the power is gone #poweroutage | no lights no wifi no ac. great saturday |
so the power goes on and off every five minutes | the elevator is stuck because of the power failure |
can't cook, electricity is gone again 😩 | generator running because the grid is down | no hot water since monday |
our power is STILL OUT and nobody answers the hotline | heat is out in the flat, 12 degrees inside |
no water from the tap this morning | water pressure dropped to nothing | brown water coming out of the faucet |
gas supply is off in our building | heating broken, landlord doesn't respond | sewer backing up into the basement |
trash was not collected this week | street lamps on Oak Avenue are not working | internet down again in Leeds |
traffic light at 5th and Main is stuck on red | wifi keeps dropping every few minutes | my wifi is not working |
net is dead, router light is red | internet so slow i can't even load a page | paying for 200 mbps and getting 3 |
slow and intermittent connection every evening | intermittent service | service interruption nightly | can't log in |
broadband outage, no info on the status page | modem keeps rebooting itself | fiber got cut, whole village offline |
packet loss and high ping since the maintenance | the technician did not show up, still no connection |
technician missed the appointment twice | repeated disconnects during work calls | no signal on my phone | app crashes |
no service on my mobile, SOS only | phone says emergency calls only | can't make or receive calls | emails bounce back |
calls drop after 10 seconds | my texts are not going through | mobile data doesn't work abroad | voicemail is broken |
no bars at all in the city centre | sms codes don't arrive | landline dead, no dial tone | cable tv has no picture |
channel 12 is missing from my package since yesterday | tv box stuck on loading screen | email account disappeared |
remote won't pair with the box | provider is blocking the app on my console | not receiving any emails since tuesday |
my email account was deleted without warning | outlook won't sync | cant log in to my acc | locked out of my account |
cannot login since the update | login loop, keeps sending me back to the start page | password reset link doesn't work |
unable to sign in, says something went wrong | never got the password reset mail | account suspended for no reason |
it says wrong password but i'm sure it's right | my account got hacked and i can't get it back | app crashes on launch |
2fa code is not accepted | verification code never arrives | the app logs me out every hour | app won't open |
kicked out and it won't let me back in | forgot my passcode and the reset fails | face id stopped working in the app |
the app keeps crashing when i open it | app freezes after the update | app doesn't load, just a white screen |
black screen when i start it | stuck on the splash screen | latest update broke everything | screen is frozen |
since the last update nothing works | update failed and now my phone is bricked | it keeps freezing | widget is blank |
the new version broke my phone, battery dies by noon | phone gets really hot when the app is running | no sound |
keyboard glitches and types the wrong letter | glitchy and laggy, cant use it | the app is a bug fest |
full of bugs, closes by itself | buttons do nothing when i tap them | search returns nothing | can't upload photos |
search doesn't find stations any more | upload stuck at 99% | download fails every time | export gives corrupted files |
cannot download my invoices, 500 error | exported file is blurry and missing pages | my files are gone |
all my playlists disappeared | lost all my saved data after the update | sync is broken between phone and laptop |
backup has been greyed out | notifications don't come anymore | notifications arrive hours late | printer not found |
dark mode makes the text unreadable | not compatible with my phone anymore | bluetooth won't connect | site is down |
airdrop not working | camera doesn't work in the app | microphone not working in calls | video keeps buffering | down |
sound cuts out every few seconds | video won't play, error playing this title | stream keeps freezing at the best part |
playback stops after one song | songs stop playing when the screen locks | music pauses by itself | website down? |
it plays a different song than the one i chose | downloaded songs are greyed out and won't play offline | servers down |
offline mode doesn't work | can't skip, the button is missing | lyrics don't show anymore | subtitles are out of sync |
lyrics are wrong and out of sync | podcast episodes won't load | volume buttons stopped working with the app | offline |
shuffle plays the same ten songs | carplay disconnects all the time | only audio no picture | down again | it's down |
episodes are missing from season 2 | i pay for premium and still get ads, please fix | are your servers down again |
subscription active but it says free account | premium is not working on my account | is the site down for anyone else |
was charged but my subscription was not activated | is anyone else having trouble logging in | dead | broken | 502 |
anybody else getting errors right now? | is there a problem with the server | 503 service unavailable | bad gateway |
error 404 on every page | 500 internal server error at checkout | getting timeout | everything times out | not working |
gateway timeout since 10 | error 0x80070005 when installing | err_connection_refused | dns not resolving | doesnt work |
ssl certificate expired on your site | api returns 500 for every request | webhooks are not delivered | it just spins |
api latency through the roof, requests failing | deploy fails with unknown error | dashboard shows no data | help |
cannot deploy, build is stuck in queue | database connection refused | jobs stuck in pending | my laptop doesn't start |
vpn drops every few minutes | cannot connect to the server | sso broken for our whole company | page not loading |
shared drive not reachable | teams call has no audio | meeting room screen not working | page won't load | i need help |
loading forever | infinite loading | nothing loads | it does not work | nothing works | still not working |
still broken | same problem here | same here, not working | me too, nothing loads | same error message on my phone |
having issues again | something is wrong with your app | there is a problem with my account | i have a problem |
help me please | please fix this | fix your app | what is going on with your service | whats going on?? | wrong bill |
why is this not working | why doesn't it work | why can't i log in | why can't i order online | why can't i pay |
why was my payment declined | why is my card not working | why has my transfer not arrived | why is my balance wrong |
why was i charged a fee | why is the fee so high on this withdrawal, that's not right | my card got declined twice |
card declined at the supermarket | card not accepted | my card was swallowed by the atm | atm ate my card |
atm gave me less cash than i asked for | cash machine out of order | wrong amount withdrawn | my card is lost |
still waiting for my new card | where is my card, it should be here by now | my card was stolen, please block it |
someone used my card, i did not make this payment | there is a payment i don't recognise | unauthorized withdrawal |
fraudulent charge on my account | unknown transaction on my statement | i was charged twice | charged double |
double charge on my statement | duplicate transaction | extra charge i never agreed to | charged for a modem i own |
i have been billed for equipment i returned | billing error | billing issue | overcharged again | refund not received |
bill is wrong for the third month | bill is higher than the price they quoted me | still waiting for my refund |
collection notice for a bill that was paid | refund missing after three weeks | transfer failed | my transfer is stuck |
transfer still pending | money sent but not received | money left my account but the shop didn't get it |
top up failed | top-up not showing | my top up was reverted | deposit not credited | salary not in my account |
cheque deposited but balance unchanged | direct debit bounced by your mistake | payment stuck | my pin is blocked |
payment not going through | payment was cancelled and i don't know why | exchange rate applied is wrong |
cant verify my identity, photo is rejected | identity check keeps failing | pin doesn't work | can't place an order |
contactless doesn't work | virtual card not working | apple pay won't add my card | bank app shows zero balance |
mobile banking unavailable | online banking not accessible | checkout broken, cart empties itself | my parcel is lost |
cart is empty after i log in | order cancelled without reason | order not delivered | package never arrived |
says delivered but i got nothing | delivery is late again | delivered to the wrong address | wrong item sent |
item arrived broken | missing items in my order | food was cold and half the order missing | coupon code doesn't work |
gift card says already redeemed | promo code error | self checkout machines all down | tills are down in the store |
card machine not working in the shop | nobody answers the phone | on hold for two hours | very poor customer service |
customer service hung up on me | no reply to my messages for a week | chat support closes by itself | service refused |
they refuse to give me my money back | poor service, nobody fixes it | terrible service, unable to use what i pay for |
failure to provide service | misled about the price, billed more than agreed | flight delayed 4 hours | lost luggage |
flight cancelled and no one helps us | my flight got cancelled | stuck at the airport | my bag didn't arrive |
check-in doesn't work | can't check in online | boarding pass won't load | booking shows the wrong date | game crashes |
seat i paid for is gone | train is late again | train cancelled | train stuck outside the station for 40 minutes |
no bus for an hour | bus didn't come | metro not running | escalator out of order | ticket machine out of order |
ticket machine took my money | ticket app doesn't show my ticket | barrier at the car park doesn't open |
charging station not working | car charger shows fault | driver cancelled on me three times | map doesn't load |
ride app can't find drivers | gps wrong, sends me to the wrong place | scooter won't unlock | game won't start |
can't connect to the game servers | matchmaking broken | servers are lagging so bad | kicked from every match |
disconnected from ranked and lost points | lag spikes unplayable | can't join my friends party | my skins are gone |
purchase not in my inventory | game update stuck at 0 | controller not recognised | tax portal is down | power off |
cheaters everywhere and reports don't work | government site doesn't accept my id | appointment booking gives error |
can't submit the form, deadline is today | visa application page times out | exam platform not reachable | power's off |
school portal down, cannot hand in homework | grades not visible | hospital system down | alarm system offline |
prescription not in the system | 911 not reachable from my phone | doorbell camera offline | smart lock won't open |
thermostat lost connection | lights in the app show unreachable | voice assistant doesn't answer | my electric is out |
i ordered a week ago and nothing happened | i've tried everything and it's still the same | tried restarting, no luck |
reinstalled twice, same issue | worked yesterday, today nothing | it was fine until this morning |
used to love this app but now it doesn't even open | great app but lately it keeps stopping |
i like it but songs won't play since tuesday | good app but it logs me out all the time | nice job breaking the login |
love the service but today it's completely down | thanks for nothing, still no internet | came home to no power, ugh |
great, another outage. thanks guys | wow the app is down AGAIN, amazing work | power is off again in my building |
lights just went off, is it only me | my electricity just cut off while i was in the shower |
so my power decided to go out right before the finale | the power went out in the middle of my exam |
power just went out at my work, everyone is standing around in the dark | woke up to no power and no heat |
no power at the house so we are at my sister's place | storm knocked our power out an hour ago | power out? |
wind knocked out the power again | big storm here, trees down everywhere and we have no power | power outage? |
crazy rain, street is flooded and we lost power | lightning hit something and the lights went out | internet out? |
massive power outage in our area, nobody knows anything | power outage at school, we got sent home early lol |
another outage in my neighborhood, second time this year because of weather | half the campus is dark and my room too |
power outage party with board games and candles, still no lights | day two of no electricity and the food is spoiled |
bored, in the dark, phone at 20 percent and no power to charge it | reading with a flashlight, day 2 of the outage |
studying by candlelight since the lights are out in our block | movie stopped because the theater lost power |
they say it will be tuesday before we get power back, wtf | when the power goes out at work and you have a deadline |
the estimated restoration time keeps changing and we are still dark | anyone else in riverside without power |
the whole stadium lost power in the third quarter and we are waiting | is the power out for anyone else |
anyone know what happened to the power on the north side | you guys have power? we don't | network down? |
any outage in my area? | is something going on with the trains this morning | full bars but nothing loads |
ever since the update my phone is constantly glitching | cool new feature: it deletes my work. great job |
i have internet but the app says offline | other apps work fine, yours doesn't | the button to translate disappeared |
things i downloaded randomly become unplayable | when i press a song it plays something else | slow internet |
i can't change the volume any more since the update | it won't let me listen to the song i want | low internet speed |
it doesn't let me log in or make a new account | the sleep timer stops after one minute and i have to reset it |
been paying for months and downloads never work | i can't hear anything, sound is gone | poor speed and reliability |
slow speeds every night | speeds nowhere near what i pay for | internet not available after the move | bill is double |
blocking of streaming on my console | throttling my connection so videos don't play | billed after cancellation |
charged for equipment i never had | charged for something i returned a year ago | they owe me a refund | service issue |
they keep charging me after i cancelled | double billing | billing problem | billing dispute | internet issues |
issue with internet service | service problem | service issues and wrong bill | account problem | technical problem |
trouble with my cable box | complaint about service | bait and switch on my bill | can't reach anybody |
unable to cancel, they keep transferring me | i've contacted support three times with no help | i never got the item |
got told my account is temporarily locked | account says closed but i never closed it | preorder never arrived |
i never got the code i was promised | got food poisoning from your place | milk i bought is sour | where's my pin |
the till charged me the wrong price | the toilet in the store is out of order | train stopped and no announcement |
we've been sitting on the tarmac for two hours | my second flight is missing from the booking | pin hasn't arrived |
details on my ticket are wrong | credit still not processed after three weeks | how do i unlock my account |
how do i get back into my account | how can i reset my passcode, i forgot it | can you reset my password |
how come i was charged for a withdrawal | how come my transfer was refused | what is this fee on my account |
i got a fee i don't understand | i see a charge that isn't mine | why is my top up still pending |
why is my cash withdrawal still pending | why did my payment get cancelled | my cash withdrawal isn't showing |
my transaction isn't showing | how long do i have to wait for my money | the transfer isn't there yet |
recipient did not get the money | please freeze my card, i can't find it | lost my phone, block my account please |
i don't remember the code to open the app | my card doesn't fit, chip is damaged | i can't see the money i added |
duplicate pending transactions, something is wrong | the machine gave me the wrong amount |
new card keeps getting declined | the exchange rate used was not what you showed |
blackout at the food court, kitchens are cold and so am i | every gust and the lamps die for a minute |
rant incoming: fourth time since spring that the electricity fails when it drizzles |
branch on the wires and now the garage door won't open, no current | utility promises friday, until then we are dark |
half way through frying onions and the stove goes dark, whole house dead | almost a full day in the dark by now |
rehearsal moved to the parking lot since the hall has no electricity | lamps at the crossing are dark, cars just guess |
customers with wet hair and no hair dryer because the current is gone | ordering through the website is dead |
cold beans straight from the can tonight, the cooker has no electricity | ranked queue never finds a match tonight |
second night with no electricity, where are the crews | basket never gets to the payment step, button is grey |
they told me to be patient, still nothing after two nights in the dark | old messages come back after i delete them |
choir practice in total darkness because the fuse of the church blew | booking form ends with an apology and no ticket |
your app wants my number again and again and then throws me out | lovely, the save button now loses my whole drawing |
autocorrect turns every word into nonsense since the patch | after installing the patch my passwords are gone |
console refuses every download after friday's patch while everything else is online | second episode never starts |
config from your own manual is rejected at deployment | i should have a bag included but the kiosk wants money for it |
voucher from tuesday is rejected as invalid | data is on but every page stays empty | the queue forgets what i added |
nothing but trouble with this thing lately | song stops as soon as i open my messages | worm in the salad |
line dead ever since your man was here | i'm owed a deposit you never returned | you keep my money and give no answer |
three messages sent and silence from you | the clerk yelled at me and put the phone down | you refuse all my transfers |
support wants a password nobody ever gave me | driver dropped us two streets away and says it was our wish |
got locked out right after typing my password and now silence | cheese was green when i opened the pack |
two hours at the gate and no one says when we leave | our plane landed in the wrong city, what now |
the night train has vanished from the timetable search | return trip missing from my itinerary |
the amount i added yesterday still says waiting | a payment of mine was undone, no idea why | new card won't activate |
paid in a cheque and nothing moved on my account | sent money to the wrong person, stop it please |
the plastic was posted ages ago and my letterbox is empty | bank refuses the payee i enter | well there goes the power |
card does nothing at any terminal | one pound too much on the statement | a tiny charge i can't place showed up |
is the 30th district out as well? | shop stays shut, the tills have no current | ugh power out AGAIN at my moms |
kitchen can't cook, no electricity, so no lunch | battery at four percent and no socket works in the house |
baker sent us away because the ovens are off, no electricity | power's been out here since like 3 and i'm so bored |
lost power and wifi at the same time, using data to tweet this | outage at the library, can't print my paper |
why is the power out in lakeview there isn't even wind | it's pitch black in the stairwell | cant sleep no ac no power |
my whole apartment complex went dark | power flickered twice and died |
power keeps going out every time it rains in this town | Wanted to watch the match, got a spinning wheel instead |
Hi, I've been trying to reach someone all day because my heating won't switch on |
Hello team, since Friday the invoices page shows an empty table for every customer |
Good morning, our whole office cannot print, all of us get the same error |
We are a small shop and the card terminal has been offline since opening, we lose money every minute |
Was in the middle of paying rent when the app threw me out and now the money is gone |
My grandmother's alarm button has no connection any more, this is dangerous | Thanks but that did not help, same error |
Kids are home schooling and the learning platform shows a blank page | Sorry to bother you again, the fix did not work |
I ordered shoes three weeks ago and the tracking hasn't moved since | I did what you said and it's still crashing |
I never received the confirmation mail for my booking and the hotel doesn't know me | No, still nothing | Mine too |
The nurse said their computers are down so no prescriptions today | Nice app when it works, which it hasn't for a week |
Sat through the whole first half with the picture frozen | Thank you for the refund, but the amount is wrong |
Love your shows but subtitles are missing on every single one of them since the redesign | Still the same |
Great phone, terrible reception in my own kitchen since the mast was changed | Yes, still down here |
Five stars before the update, one star now because it drains my battery in two hours | Same for me since yesterday |
I was happy with the service until my line went dead on sunday | Thanks for the reply but the problem is still there |
It used to sync in seconds, now it takes hours or never finishes | Not just you, mine is dead too | Where is my money |
Everything was fine yesterday and this morning I can't open a single file | Me neither, can't get in |
Yes I restarted it, yes I reinstalled it, no it doesn't work | Anyone got signal? My whole family has none |
Why do I keep getting logged out? | Why does it keep crashing? | Why are all my songs grey? | Why is there no water? |
Why is the bus not here yet | Why is my internet so slow tonight | Why do you keep sending me someone else's letters |
Why did my order get cancelled | Why did I get charged twice? | What happened to my account? | Where is the train?? |
Why does your bot not understand a simple question, my card is blocked! | What happened to my reservation, it's gone |
What does error E17 mean, the washing machine app shows it all the time | Where is my parcel? It was due on monday |
When will the outage be over | When will this be fixed | When do we get the internet back | Please unblock my card |
When does the water come back | How long until the lights are back | How much longer? day 4 without gas |
How is this still not fixed | How do I stop the app from crashing | How do I get my money back for a cancelled flight |
Is it normal that the speed drops every night? | Is your payment page broken? | Is the network down in Bristol |
Is the app down or is it my phone | Is something wrong with the network today? | Can someone explain this charge |
Are you having problems today? Nothing is loading | Are the trains running? Board is blank | SOS no connection |
Can someone tell me why my ticket is invalid | Can anybody else not log in | Can you fix the lift in building C please |
Can you check my order, it says delivered but it isn't | Can you look into this, I was billed for last year's plan |
Could you please restore my account | Please check the street lamp in front of number 12, it's been out for weeks |
Please help, money left my account and the ticket never came | Urgent! Server unreachable | URGENT: production is down |
Please restore our power, my mother needs her oxygen machine | ALERT checkout failing for all customers | bad sound |
help my screen is black | omg everything just went dark | omg my game just deleted itself | ugh this website | timeout |
ugh not again, frozen | wtf is wrong with this app | wtf no service | come on, lights again?? | sick of this lag | bug |
seriously? another cancelled train | this is ridiculous, 3 hours and no answer | what a joke, second missed delivery |
worst day, no wifi and no heat | unacceptable, a week without phone | fed up with these disconnections | trash servers |
tired of calling, nothing gets repaired | so annoying that it stops every two minutes | scammed, paid and got nothing |
disappointed, arrived broken and nobody cares | useless, cannot even open a ticket | garbage app, crashes constantly |
awful reception | terrible quality, picture is all pixels | horrible lag today | poor connection | low pressure | lag |
no answer | no access | no connection | no dial tone | no picture | no response from the server | no trains | crash |
no heating | no refund | no delivery | not delivered | not received | not responding | not opening | not charging |
not syncing | not available | unavailable | unreachable | unresponsive | access denied | connection lost | login error |
connection error | login failed | payment error | payment failed | sync error | server error | network error | glitch |
playback error | update error | freeze | frozen | disconnect | outage | blackout | power failure | brownout | fault |
no lights | failure | malfunction | defect | refund | double payment | wrong charge | wrong fee | incorrect billing |
unfair charge on my bill, I never used it | improper charges | unfair collection claim | fraud on my account |
collection agency after I paid everything | false charge for a box I gave back | identity theft on my account |
cancellation not processed | cancellation problem | installation problem | installer never came | missed appointment |
equipment failure | modem issue | router issue | signal issue | email issue | website issue | speed issue |
internet complaint, keeps dropping | service complaint | formal complaint: no service for 20 days | channels missing |
complaint about billing | blocked content on my console | blocking a channel I pay for | channel blocked | powers out |
signals of the satellite box are blocked | port blocked by the provider | office closed, no power, sorry | #nopower |
store closed early because the electricity is off | we will stay closed tomorrow since there are outages in our area |
sorry folks, no classes today, power failure in the studio | show is postponed, the venue has no electricity | #sinluz |
cooking on the camping stove, no electricity since breakfast | brushing my teeth by flashlight, what a storm |
wild storm last night and we are still dark #nopower | tornado went by and the lights went off in the whole church |
trees down, wires down, no lights, send coffee | power went out just as i sat down to eat | guess who has no power |
power went out and all the alarms in the building started beeping | lost power during my shift, registers are dead |
lost power twice during the same meeting | i have no power and my landlord won't pick up | so i guess the power is out |
i still don't have power, everybody around me does | my neighbors have power but i don't | who else has no power |
they just got power back across the street but not us | who else lost power in eastside | power's been out since 4 |
power still off | power is gone | power loss in district 9 | loss of power in our street | #poweroutage in my street |
power down at the station, gates are stuck | #blackout in our block, send candles | #internetdown |
Does not look like we will have lessons tonight, the hall still has no electricity and nobody knows when it returns |
Did anybody else's lights go out downtown or is it only my building |
The bar stays closed tonight because of trouble with the electric line, the supplier was here and left again |
Only my side of the boardwalk is dark, a branch fell on the line and nobody comes |
Everything in the fridge is warm, the landlord says the whole street has no electricity |
Both internet and electricity went out here, the area around us seems dark as well |
I was overbilled, called four times, and each time they promised a credit that never came |
Since the crew worked on our street the connection drops whenever it rains |
The vending machine on the third floor takes coins and gives nothing |
Our clinic's booking line plays music and then hangs up on every patient |
The museum's audio guide is stuck in a language nobody here speaks |
Half of the washing machines in the dorm show a red lamp and won't unlock |
The translation of my contract has pages that belong to somebody else |
Scanner at the warehouse reads every barcode twice so our stock is wrong |
My hearing aid no longer pairs after the store replaced its battery |
The gym turnstile rejects my membership every single morning |
Rental car app shows the car as returned although I am driving it, and keeps locking me out |
The school bus tracker has shown the same corner since seven and the kids are standing in the rain |
Our radio station has been silent on the northern transmitter since midnight |
Pumps at the irrigation plant stop by themselves and the fields are dry
""",
}

PROBLEMS_EN: Final[dict[str, tuple[str, ...]]] = {
    language: tuple(text.strip() for text in texts.split("|")) for language, texts in _TEXTS.items()
}
