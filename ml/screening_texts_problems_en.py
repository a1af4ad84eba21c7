"""English texts that report a problem: what `ml.screening` learns a problem report from.

Invariant: each says that something does not work or is wrong for the writer, in the way people type it (typos, slang,
half sentences), over many trades. All were written for this project; several stand in a line with ` | ` between. Not
here: other languages, and
texts that report nothing. A text more changes the fitted model and nothing else.
"""

from __future__ import annotations

from typing import Final

_TEXTS: Final = {
    "en": """
power is out on our street since 6 | lost power about ten minutes ago | no power in the whole building |
no electricity since last night, food in the freezer is going bad | power just went out again |
my power went out during the storm | still no power here, day 3 | still without power, going on 14 hours |
we've been without electricity since noon | lights out in the entire neighborhood |
lights keep flickering and then everything goes dark | half of my block has power and my side doesn't |
power outage at the office, everyone sent home | power outage downtown, traffic lights are dead |
the power went out at work so we are sitting in the dark | power cut again, third one this week! |
transformer blew up, whole road is dark | a tree fell on the power line, no lights |
lost power at the gym mid workout lol | sitting in the dark, power's been off since the thunder |
my lights won't come back on | electric is off, fuse box looks fine |
when is the power coming back?? it's freezing | any idea when power will be restored in Maple Grove |
blackout here, anyone else? | we are closed today because of a power outage, sorry for the inconvenience |
classes cancelled, campus has no power | watching the storm by candlelight because the power is gone #poweroutage |
dinner by flashlight thanks to the outage | so the power goes on and off every five minutes |
power surge fried my router | no lights no wifi no ac. great saturday |
the elevator is stuck because of the power failure | can't cook, electricity is gone again 😩 |
generator running because the grid is down | our power is STILL OUT and nobody answers the hotline |
heat is out in the flat, 12 degrees inside | no hot water since monday | no water from the tap this morning |
water pressure dropped to nothing | brown water coming out of the faucet | gas supply is off in our building |
heating broken, landlord doesn't respond | sewer backing up into the basement | trash was not collected this week |
street lamps on Oak Avenue are not working | traffic light at 5th and Main is stuck on red | internet is down |
internet down again in Leeds | no internet since 9am | wifi keeps dropping every few minutes |
my wifi is not working | net is dead, router light is red | internet so slow i can't even load a page |
paying for 200 mbps and getting 3 | slow and intermittent connection every evening | intermittent service |
service interruption nightly | broadband outage, no info on the status page | modem keeps rebooting itself |
packet loss and high ping since the maintenance | fiber got cut, whole village offline |
the technician did not show up, still no connection | technician missed the appointment twice |
repeated disconnects during work calls | no signal on my phone | no service on my mobile, SOS only |
phone says emergency calls only | can't make or receive calls | calls drop after 10 seconds |
my texts are not going through | mobile data doesn't work abroad | no bars at all in the city centre |
sms codes don't arrive | voicemail is broken | landline dead, no dial tone | cable tv has no picture |
channel 12 is missing from my package since yesterday | tv box stuck on loading screen |
remote won't pair with the box | provider is blocking the app on my console | email account disappeared |
my email account was deleted without warning | emails bounce back | not receiving any emails since tuesday |
outlook won't sync | can't log in | cant log in to my acc | cannot login since the update |
login loop, keeps sending me back to the start page | unable to sign in, says something went wrong |
password reset link doesn't work | never got the password reset mail |
it says wrong password but i'm sure it's right | locked out of my account |
my account got hacked and i can't get it back | account suspended for no reason | 2fa code is not accepted |
verification code never arrives | the app logs me out every hour | kicked out and it won't let me back in |
forgot my passcode and the reset fails | face id stopped working in the app | app crashes | app crashes on launch |
the app keeps crashing when i open it | app freezes after the update | app won't open |
app doesn't load, just a white screen | black screen when i start it | stuck on the splash screen |
latest update broke everything | since the last update nothing works | update failed and now my phone is bricked |
the new version broke my phone, battery dies by noon | phone gets really hot when the app is running |
keyboard glitches and types the wrong letter | screen is frozen | it keeps freezing |
glitchy and laggy, cant use it | the app is a bug fest | full of bugs, closes by itself |
buttons do nothing when i tap them | search returns nothing | search doesn't find stations any more |
can't upload photos | upload stuck at 99% | download fails every time | cannot download my invoices, 500 error |
export gives corrupted files | exported file is blurry and missing pages | my files are gone |
all my playlists disappeared | lost all my saved data after the update | sync is broken between phone and laptop |
backup has been greyed out | notifications don't come anymore | notifications arrive hours late | widget is blank |
dark mode makes the text unreadable | not compatible with my phone anymore | printer not found |
bluetooth won't connect | airdrop not working | camera doesn't work in the app | microphone not working in calls |
no sound | sound cuts out every few seconds | video keeps buffering | video won't play, error playing this title |
stream keeps freezing at the best part | playback stops after one song | songs stop playing when the screen locks |
music pauses by itself | it plays a different song than the one i chose |
downloaded songs are greyed out and won't play offline | offline mode doesn't work |
can't skip, the button is missing | lyrics don't show anymore | lyrics are wrong and out of sync |
podcast episodes won't load | volume buttons stopped working with the app | shuffle plays the same ten songs |
carplay disconnects all the time | subtitles are out of sync | only audio no picture |
episodes are missing from season 2 | i pay for premium and still get ads, please fix |
subscription active but it says free account | premium is not working on my account |
was charged but my subscription was not activated | site is down | website down? |
is the site down for anyone else | is anyone else having trouble logging in |
anybody else getting errors right now? | is there a problem with the server | are your servers down again |
servers down | down | down again | it's down | offline | dead | broken | 502 | 503 service unavailable |
error 404 on every page | 500 internal server error at checkout | bad gateway | getting timeout |
everything times out | gateway timeout since 10 | error 0x80070005 when installing | err_connection_refused |
dns not resolving | ssl certificate expired on your site | api returns 500 for every request |
api latency through the roof, requests failing | webhooks are not delivered | deploy fails with unknown error |
cannot deploy, build is stuck in queue | dashboard shows no data | database connection refused |
jobs stuck in pending | vpn drops every few minutes | cannot connect to the server |
sso broken for our whole company | shared drive not reachable | my laptop doesn't start | teams call has no audio |
meeting room screen not working | page not loading | page won't load | loading forever | it just spins |
infinite loading | nothing loads | not working | doesnt work | it does not work | nothing works |
still not working | still broken | same problem here | same here, not working | me too, nothing loads |
same error message on my phone | having issues again | something is wrong with your app |
there is a problem with my account | i have a problem | i need help | help | help me please | please fix this |
fix your app | what is going on with your service | whats going on?? | why is this not working |
why doesn't it work | why can't i log in | why can't i order online | why can't i pay |
why was my payment declined | why is my card not working | why has my transfer not arrived |
why is my balance wrong | why was i charged a fee | why is the fee so high on this withdrawal, that's not right |
card declined at the supermarket | my card got declined twice | card not accepted |
my card was swallowed by the atm | atm ate my card | atm gave me less cash than i asked for |
cash machine out of order | wrong amount withdrawn | still waiting for my new card |
where is my card, it should be here by now | my card is lost | my card was stolen, please block it |
someone used my card, i did not make this payment | there is a payment i don't recognise |
fraudulent charge on my account | unknown transaction on my statement | unauthorized withdrawal |
i was charged twice | charged double | double charge on my statement | duplicate transaction |
extra charge i never agreed to | i have been billed for equipment i returned | charged for a modem i own |
billing error | billing issue | wrong bill | overcharged again | bill is wrong for the third month |
bill is higher than the price they quoted me | collection notice for a bill that was paid | refund not received |
still waiting for my refund | refund missing after three weeks | transfer failed | transfer still pending |
my transfer is stuck | money sent but not received | money left my account but the shop didn't get it |
top up failed | top-up not showing | my top up was reverted | deposit not credited |
cheque deposited but balance unchanged | salary not in my account | direct debit bounced by your mistake |
payment stuck | payment not going through | payment was cancelled and i don't know why |
exchange rate applied is wrong | cant verify my identity, photo is rejected | identity check keeps failing |
my pin is blocked | pin doesn't work | contactless doesn't work | virtual card not working |
apple pay won't add my card | bank app shows zero balance | mobile banking unavailable |
online banking not accessible | checkout broken, cart empties itself | cart is empty after i log in |
can't place an order | order cancelled without reason | order not delivered | package never arrived |
my parcel is lost | says delivered but i got nothing | delivery is late again | delivered to the wrong address |
wrong item sent | item arrived broken | missing items in my order | food was cold and half the order missing |
coupon code doesn't work | gift card says already redeemed | promo code error | self checkout machines all down |
tills are down in the store | card machine not working in the shop | nobody answers the phone |
on hold for two hours | customer service hung up on me | no reply to my messages for a week |
chat support closes by itself | they refuse to give me my money back | poor service, nobody fixes it |
very poor customer service | terrible service, unable to use what i pay for | failure to provide service |
service refused | misled about the price, billed more than agreed | flight delayed 4 hours |
flight cancelled and no one helps us | my flight got cancelled | stuck at the airport | lost luggage |
my bag didn't arrive | check-in doesn't work | can't check in online | boarding pass won't load |
booking shows the wrong date | seat i paid for is gone | train is late again | train cancelled |
train stuck outside the station for 40 minutes | no bus for an hour | bus didn't come | metro not running |
escalator out of order | ticket machine out of order | ticket machine took my money |
ticket app doesn't show my ticket | barrier at the car park doesn't open | charging station not working |
car charger shows fault | driver cancelled on me three times | ride app can't find drivers |
gps wrong, sends me to the wrong place | map doesn't load | scooter won't unlock | game crashes | game won't start |
can't connect to the game servers | matchmaking broken | servers are lagging so bad | kicked from every match |
disconnected from ranked and lost points | lag spikes unplayable | can't join my friends party | my skins are gone |
purchase not in my inventory | game update stuck at 0 | controller not recognised |
cheaters everywhere and reports don't work | tax portal is down | government site doesn't accept my id |
can't submit the form, deadline is today | appointment booking gives error | visa application page times out |
exam platform not reachable | school portal down, cannot hand in homework | grades not visible |
hospital system down | prescription not in the system | 911 not reachable from my phone | alarm system offline |
doorbell camera offline | smart lock won't open | thermostat lost connection | lights in the app show unreachable |
voice assistant doesn't answer | i ordered a week ago and nothing happened |
i've tried everything and it's still the same | tried restarting, no luck | reinstalled twice, same issue |
worked yesterday, today nothing | it was fine until this morning |
used to love this app but now it doesn't even open | great app but lately it keeps stopping |
i like it but songs won't play since tuesday | good app but it logs me out all the time |
love the service but today it's completely down | thanks for nothing, still no internet |
great, another outage. thanks guys | wow the app is down AGAIN, amazing work | nice job breaking the login |
power off | power's off | power is off again in my building | lights just went off, is it only me |
my electric is out | my electricity just cut off while i was in the shower |
so my power decided to go out right before the finale | the power went out in the middle of my exam |
power just went out at my work, everyone is standing around in the dark |
no power at the house so we are at my sister's place | came home to no power, ugh |
woke up to no power and no heat | storm knocked our power out an hour ago | wind knocked out the power again |
big storm here, trees down everywhere and we have no power | crazy rain, street is flooded and we lost power |
lightning hit something and the lights went out | massive power outage in our area, nobody knows anything |
another outage in my neighborhood, second time this year because of weather |
power outage at school, we got sent home early lol |
power outage party with board games and candles, still no lights |
bored, in the dark, phone at 20 percent and no power to charge it |
studying by candlelight since the lights are out in our block | day two of no electricity and the food is spoiled |
they say it will be tuesday before we get power back, wtf |
the estimated restoration time keeps changing and we are still dark |
when the power goes out at work and you have a deadline | reading with a flashlight, day 2 of the outage |
movie stopped because the theater lost power |
the whole stadium lost power in the third quarter and we are waiting | half the campus is dark and my room too |
anyone else in riverside without power | anyone know what happened to the power on the north side |
is the power out for anyone else | you guys have power? we don't | power out? | power outage? | internet out? |
network down? | any outage in my area? | is something going on with the trains this morning |
ever since the update my phone is constantly glitching | cool new feature: it deletes my work. great job |
full bars but nothing loads | i have internet but the app says offline | other apps work fine, yours doesn't |
things i downloaded randomly become unplayable | when i press a song it plays something else |
i can't change the volume any more since the update | it won't let me listen to the song i want |
it doesn't let me log in or make a new account | the button to translate disappeared |
the sleep timer stops after one minute and i have to reset it | been paying for months and downloads never work |
i can't hear anything, sound is gone | poor speed and reliability | slow internet | slow speeds every night |
low internet speed | speeds nowhere near what i pay for | internet not available after the move |
blocking of streaming on my console | throttling my connection so videos don't play |
charged for equipment i never had | charged for something i returned a year ago |
they keep charging me after i cancelled | billed after cancellation | they owe me a refund | bill is double |
double billing | billing problem | billing dispute | issue with internet service | internet issues | service issue |
service problem | service issues and wrong bill | account problem | technical problem | trouble with my cable box |
complaint about service | bait and switch on my bill | unable to cancel, they keep transferring me |
can't reach anybody | i've contacted support three times with no help | got told my account is temporarily locked |
account says closed but i never closed it | i never got the code i was promised | i never got the item |
preorder never arrived | got food poisoning from your place | milk i bought is sour |
the till charged me the wrong price | the toilet in the store is out of order |
we've been sitting on the tarmac for two hours | train stopped and no announcement |
my second flight is missing from the booking | details on my ticket are wrong |
credit still not processed after three weeks | how do i unlock my account | how do i get back into my account |
how can i reset my passcode, i forgot it | can you reset my password | how come i was charged for a withdrawal |
how come my transfer was refused | what is this fee on my account | i got a fee i don't understand |
i see a charge that isn't mine | why is my top up still pending | why is my cash withdrawal still pending |
why did my payment get cancelled | my cash withdrawal isn't showing | my transaction isn't showing |
where's my pin | pin hasn't arrived | how long do i have to wait for my money | the transfer isn't there yet |
recipient did not get the money | please freeze my card, i can't find it | lost my phone, block my account please |
i don't remember the code to open the app | my card doesn't fit, chip is damaged | i can't see the money i added |
duplicate pending transactions, something is wrong | the machine gave me the wrong amount |
new card keeps getting declined | the exchange rate used was not what you showed |
blackout at the food court, kitchens are cold and so am i |
rant incoming: fourth time since spring that the electricity fails when it drizzles |
branch on the wires and now the garage door won't open, no current |
half way through frying onions and the stove goes dark, whole house dead |
rehearsal moved to the parking lot since the hall has no electricity |
customers with wet hair and no hair dryer because the current is gone |
cold beans straight from the can tonight, the cooker has no electricity |
every gust and the lamps die for a minute | utility promises friday, until then we are dark |
almost a full day in the dark by now | second night with no electricity, where are the crews |
lamps at the crossing are dark, cars just guess |
they told me to be patient, still nothing after two nights in the dark |
choir practice in total darkness because the fuse of the church blew |
basket never gets to the payment step, button is grey |
your app wants my number again and again and then throws me out | ordering through the website is dead |
ranked queue never finds a match tonight | autocorrect turns every word into nonsense since the patch |
old messages come back after i delete them | lovely, the save button now loses my whole drawing |
after installing the patch my passwords are gone |
console refuses every download after friday's patch while everything else is online |
booking form ends with an apology and no ticket | config from your own manual is rejected at deployment |
i should have a bag included but the kiosk wants money for it | voucher from tuesday is rejected as invalid |
data is on but every page stays empty | nothing but trouble with this thing lately | second episode never starts |
song stops as soon as i open my messages | the queue forgets what i added | line dead ever since your man was here |
i'm owed a deposit you never returned | three messages sent and silence from you |
the clerk yelled at me and put the phone down | support wants a password nobody ever gave me |
driver dropped us two streets away and says it was our wish | you keep my money and give no answer |
got locked out right after typing my password and now silence | worm in the salad |
cheese was green when i opened the pack | two hours at the gate and no one says when we leave |
our plane landed in the wrong city, what now | the night train has vanished from the timetable search |
return trip missing from my itinerary | the amount i added yesterday still says waiting |
a payment of mine was undone, no idea why | paid in a cheque and nothing moved on my account |
sent money to the wrong person, stop it please | the plastic was posted ages ago and my letterbox is empty |
you refuse all my transfers | bank refuses the payee i enter | new card won't activate |
card does nothing at any terminal | one pound too much on the statement | a tiny charge i can't place showed up |
is the 30th district out as well? | shop stays shut, the tills have no current |
kitchen can't cook, no electricity, so no lunch | battery at four percent and no socket works in the house |
baker sent us away because the ovens are off, no electricity | power's been out here since like 3 and i'm so bored |
ugh power out AGAIN at my moms | lost power and wifi at the same time, using data to tweet this |
why is the power out in lakeview there isn't even wind | outage at the library, can't print my paper |
it's pitch black in the stairwell | my whole apartment complex went dark | well there goes the power |
power flickered twice and died | power keeps going out every time it rains in this town |
cant sleep no ac no power | Hi, I've been trying to reach someone all day because my heating won't switch on |
Hello team, since Friday the invoices page shows an empty table for every customer |
Good morning, our whole office cannot print, all of us get the same error |
We are a small shop and the card terminal has been offline since opening, we lose money every minute |
Was in the middle of paying rent when the app threw me out and now the money is gone |
My grandmother's alarm button has no connection any more, this is dangerous |
Kids are home schooling and the learning platform shows a blank page |
I ordered shoes three weeks ago and the tracking hasn't moved since |
I never received the confirmation mail for my booking and the hotel doesn't know me |
The nurse said their computers are down so no prescriptions today |
Wanted to watch the match, got a spinning wheel instead | Sat through the whole first half with the picture frozen |
Love your shows but subtitles are missing on every single one of them since the redesign |
Great phone, terrible reception in my own kitchen since the mast was changed |
Nice app when it works, which it hasn't for a week |
Five stars before the update, one star now because it drains my battery in two hours |
I was happy with the service until my line went dead on sunday |
It used to sync in seconds, now it takes hours or never finishes |
Everything was fine yesterday and this morning I can't open a single file |
Thank you for the refund, but the amount is wrong | Thanks for the reply but the problem is still there |
Thanks but that did not help, same error | Sorry to bother you again, the fix did not work |
Yes I restarted it, yes I reinstalled it, no it doesn't work | I did what you said and it's still crashing |
No, still nothing | Still the same | Yes, still down here | Same for me since yesterday |
Not just you, mine is dead too | Mine too | Me neither, can't get in | Anyone got signal? My whole family has none |
Why do I keep getting logged out? | Why does it keep crashing? | Why are all my songs grey? |
Why is there no water? | Why is the bus not here yet | Why is my internet so slow tonight |
Why do you keep sending me someone else's letters | Why did my order get cancelled | Why did I get charged twice? |
Why does your bot not understand a simple question, my card is blocked! | What happened to my account? |
What happened to my reservation, it's gone |
What does error E17 mean, the washing machine app shows it all the time | Where is my money |
Where is my parcel? It was due on monday | Where is the train?? | When will the outage be over |
When will this be fixed | When do we get the internet back | When does the water come back |
How long until the lights are back | How much longer? day 4 without gas | How is this still not fixed |
How do I stop the app from crashing | How do I get my money back for a cancelled flight |
Is it normal that the speed drops every night? | Is your payment page broken? | Is the network down in Bristol |
Is the app down or is it my phone | Is something wrong with the network today? |
Are you having problems today? Nothing is loading | Are the trains running? Board is blank |
Can someone tell me why my ticket is invalid | Can someone explain this charge | Can anybody else not log in |
Can you check my order, it says delivered but it isn't | Can you fix the lift in building C please |
Can you look into this, I was billed for last year's plan | Could you please restore my account |
Please check the street lamp in front of number 12, it's been out for weeks | Please unblock my card |
Please help, money left my account and the ticket never came |
Please restore our power, my mother needs her oxygen machine | Urgent! Server unreachable |
URGENT: production is down | SOS no connection | ALERT checkout failing for all customers |
help my screen is black | omg everything just went dark | omg my game just deleted itself | ugh this website |
ugh not again, frozen | wtf is wrong with this app | wtf no service | come on, lights again?? |
seriously? another cancelled train | this is ridiculous, 3 hours and no answer |
what a joke, second missed delivery | worst day, no wifi and no heat | unacceptable, a week without phone |
fed up with these disconnections | sick of this lag | tired of calling, nothing gets repaired |
so annoying that it stops every two minutes | disappointed, arrived broken and nobody cares |
scammed, paid and got nothing | useless, cannot even open a ticket | garbage app, crashes constantly |
trash servers | awful reception | terrible quality, picture is all pixels | horrible lag today | poor connection |
bad sound | low pressure | no answer | no access | no connection | no dial tone | no picture |
no response from the server | no trains | no heating | no refund | no delivery | not delivered | not received |
not responding | not opening | not charging | not syncing | not available | unavailable | unreachable |
unresponsive | access denied | connection lost | connection error | login failed | login error | payment error |
payment failed | sync error | server error | network error | playback error | update error | timeout | crash | bug |
glitch | lag | freeze | frozen | disconnect | outage | blackout | power failure | brownout | no lights | fault |
failure | malfunction | defect | refund | double payment | wrong charge | wrong fee |
unfair charge on my bill, I never used it | incorrect billing | improper charges | unfair collection claim |
collection agency after I paid everything | false charge for a box I gave back | fraud on my account |
identity theft on my account | cancellation not processed | cancellation problem | installation problem |
installer never came | missed appointment | equipment failure | modem issue | router issue | signal issue |
email issue | website issue | speed issue | internet complaint, keeps dropping | service complaint |
formal complaint: no service for 20 days | complaint about billing | blocked content on my console |
blocking a channel I pay for | signals of the satellite box are blocked | channels missing | channel blocked |
port blocked by the provider | store closed early because the electricity is off |
we will stay closed tomorrow since there are outages in our area | office closed, no power, sorry |
sorry folks, no classes today, power failure in the studio | show is postponed, the venue has no electricity |
cooking on the camping stove, no electricity since breakfast | brushing my teeth by flashlight, what a storm |
wild storm last night and we are still dark #nopower | tornado went by and the lights went off in the whole church |
trees down, wires down, no lights, send coffee | power went out just as i sat down to eat |
power went out and all the alarms in the building started beeping | lost power during my shift, registers are dead |
lost power twice during the same meeting | i have no power and my landlord won't pick up |
i still don't have power, everybody around me does | my neighbors have power but i don't |
they just got power back across the street but not us | so i guess the power is out | guess who has no power |
who else has no power | who else lost power in eastside | power's been out since 4 | power still off | powers out |
power is gone | power loss in district 9 | loss of power in our street |
power down at the station, gates are stuck | #poweroutage in my street | #nopower |
#blackout in our block, send candles | #internetdown | #sinluz
""",
}

PROBLEMS_EN: Final[dict[str, tuple[str, ...]]] = {
    language: tuple(text.strip() for text in texts.split("|")) for language, texts in _TEXTS.items()
}
