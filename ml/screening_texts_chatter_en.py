"""English texts that report no problem: what `ml.screening` learns the other side from.

Invariant: none says that something is wrong for the writer now. On purpose they use the nouns of problem reports
(power, lights, outage, crash, app, card, charge), for it is the words around them that must tell: praise, chatter,
figures of speech, sport, politics, advertisements, news from elsewhere, wishes, prices, questions that report nothing,
all-clears. All were written for this project; several stand in a line with ` | ` between. Not
here: other languages, and the
problems themselves.
"""

from __future__ import annotations

from typing import Final

_TEXTS: Final = {
    "en": """
love this app | i love it so much | best app ever | great app | good app | very good | nice | excellent | amazing |
awesome app, five stars | super easy to use | perfect for listening to music while i work |
good music and good quality | i love all the songs | best music app hands down | it has every song i like |
really nice app, i recommend it | i use it every day and i'm happy | it's the best | so good | cool | ok | fine |
wow | 10/10 | works great | works perfectly | works like a charm for me | no problems at all |
never had any issues with it | everything works fine here | all good on my side | fast and reliable |
very fast delivery, thank you | thank you | thanks | thanks so much for your help | thank you for the quick reply |
thanks, it works now | fixed now, thank you | it's back, thanks for the quick fix | all good now, cheers |
ok thanks i will try that | ok i did it, thanks | great customer service | the lady on the phone was so kind |
your staff in the store is so friendly | shout out to the crew of my flight, best people |
best flight i've had in years | such a smooth ride today | beautiful design, well done | keep up the good work |
great job team | the support team helped me so much, amazing company | love the new update |
the new design looks great | loving the new dark theme | sound quality is great, better than the others |
this app makes my life easier | helps me relax after work | happy customer since 2012 |
proud to be part of this team | you guys rock | my kids love it | very useful and practical | simple and beautiful |
highly recommended | finally an app that just works | impressed with the speed | good for long drives |
it calms me when i cry | worth every penny | congratulations on the new store |
happy birthday to my favorite brand | good morning everyone | good night | have a nice weekend | hello | lol |
haha so true | omg same | yes | no | agreed | see you at the concert tonight | can't wait for the show |
who is going out tonight | just landed in vegas | lunch with the team | what a beautiful view |
new blog post is up | new video out now, link in bio | our album is out now on all platforms |
single out friday, pre-save it | check out my new mixtape | check out our new collection of lights |
check out this deal, 50% off today only | free shipping on all orders this weekend |
buy one get one free, shop now | win a free phone, click the link | get your free gift card here |
earn money from home, dm me | invest in bitcoin and double your money | follow me for more | like and share to win |
hiring: electrician in dallas, apply here | we are hiring! join our power team | job alert: power plant operator |
for sale: electric guitar, barely used | electric bikes now in stock | best prices on solar panels, call us today |
save on your energy bill with our led bulbs | book your appointment with us today | come see us at booth 12 |
dont miss out, tickets on sale now | don't miss our sale, ends tonight |
lights, camera, action! shooting a new video today | what a power move | that was such a power move |
power couple goals | power nap time | power hour at the bar | girl power | power to the people |
with great power comes great responsibility | knowledge is power | the power of love | the power of music is real |
the power of positive thinking | never underestimate the power of a good breakfast |
i feel the power in this workout | working out to get more power in my swing | power yoga class this morning |
power lifting pr today | speed and power training with coach | rest in power | power rankings are out |
power ranger costume for halloween | watching power tonight, can't wait for the new season |
season finale of power was crazy | power hitter, he went yard twice last night | they scored on the power play |
power play goal in overtime | his fastball has serious power | the engine has so much power |
brain power needed to figure this out | he is abusing his power | they just want to stay in power |
absolute power corrupts | the party in power will lose the election |
congress should limit the power of the president | politicians only care about power and money |
it is all about power and control | nuclear power is the future | wind power is cheaper than coal now |
solar power for every home | the new power plant will open next year | lights out, good night |
lights out for the champ, knockout in the second round | he punched his lights out | out like a light |
baby is out like a light | leave the light on for me | be the light in the darkness | this little light of mine |
god is my light | the light at the end of the tunnel | christmas lights are out, so pretty |
we went out to see the christmas lights | city lights at night, love this view | love the light in this photo |
the light was perfect for pictures | natural light portrait session | red light green light |
drinking a bud light with the guys | drinking a pale ale by my favorite brewery | light lunch and a walk |
light rain this morning, still went for a run | traffic light colours explained to my kid | light it up |
it's lit tonight | neon lights and loud music | dancing in the dark all night | dark mode is my favorite thing |
stage lights and fog machines | the lights went down and the band came on |
turn off the lights and watch a scary movie | watching the movie lights out with friends |
the last one out turns off the lights | green light from the investors, let's go |
electric atmosphere at the stadium | the crowd was electric | she was electric on stage |
electric car test drive today | our first electric suv is here | electric feel is stuck in my head |
the electric light orchestra still rocks | going out to the electric ballroom | my exam was a total brain outage |
my brain had a blackout during the exam | my brain is offline today | i need to reboot myself |
mental shutdown until monday | my social battery is dead lol | i blacked out after two tequilas |
blackout curtains are the best purchase ever | blackout poetry is fun | blackout cake recipe |
this song hits like a blackout | we blacked out the whole room for the party |
the team went dark in the second half | he crashed the wedding | crash course in python | crash landed on my bed |
stock market crash incoming | crash bandicoot is my childhood | i am so down for this | down for pizza tonight? |
get down on the dance floor | down to earth people | settle down | calm down everyone | down by the river |
breaking down the play | i broke down crying at that movie | my heart is broken | broken hearts and cold beer |
breaking bad is the best show | she broke the internet with that dress | this meme broke me |
error 404: motivation not found | 404 girlfriend not found | my diet has stopped working lol |
adulting not working out for me | working from home today | monday is a bug not a feature |
my ex is like bad wifi, no connection | there is a real connection between us | we had such a good connection |
mixed signals again | he left me on read | my phone is my life | i am in charge here |
charge your crystals tonight, full moon | he was charged with fraud | police charged two men with robbery |
the judge dropped the charges | free of charge for kids under six | the water is so blue here |
blue water, white sand | drink more water | the gas station has great coffee | train hard, win easy |
train like a beast | training at the gym | the soul train awards | i caught feelings not flights |
flight club was fun | what a game last night | best game of the year | gg everyone | this boss fight is killer |
that outfit is fire | fire mixtape | that burger killed me, so good | dead 💀💀 that's hilarious |
i'm dying laughing | 😍😍😍 | ❤️ | 👍 | 👏👏👏 | 🔥🔥🔥 | 😂😂 | the storm was beautiful from the balcony |
such a lovely thunderstorm, love the sound of rain | hope everyone is safe in the storm | stay safe out there |
praying for everyone in the path of the hurricane | please no power outage during the game today |
everybody praying the power doesn't go out | hope the lights stay on tonight | hope your power comes back soon |
glad you got your power back | our power is back on | power is back, thank you to the crews |
power restored, thank you linemen | we were lucky, we never lost power | no outage here, we are fine |
no power outage for us this time | remember the big blackout of 2003 |
ten years ago today the great blackout hit the northeast | history of the 1977 blackout, new documentary |
what to do in a power outage: five tips | how to prepare for a blackout |
here is our guide to surviving a power cut | generators on sale, be ready for the next outage |
i bought a ups so the next power cut won't matter |
power outage in argentina leaves millions in the dark, officials say |
thousands of customers without power after storm in puerto rico, reports say |
utility says 12,000 customers lost power in neighbouring county |
power company reports 3,400 customers affected, crews on scene | officials confirm outage was caused by a squirrel |
the outage last month cost the airline 100 million dollars |
breaking news: major cloud outage hits several companies | a look back at last year's outage |
company explains cause of outage in blog post | shares fall after outage at rival |
regulator fines bank over outage | minister says grid is stable | experts warn of blackouts next winter |
utility announces planned maintenance for next month | trump said on tv that wind power kills birds |
senator speaks about the electricity bill | vote yes on proposition 7 | what do you think about the new law |
do not believe everything on the news | i hope that works out for you | it all worked out in the end |
works out of his garage | figure it out together | turns out i am 40 now | turns out the cake was delicious |
sold out show, thank you chicago | hanging out with friends | eating out tonight | out and about |
out of office until monday | how can i change my pin | how do i order a second card | can i use my card abroad |
which currencies do you support | what is the exchange rate today | what are your exchange rates |
is there a fee for transfers | how much does an extra card cost | how much is the express delivery |
how long does a transfer usually take | how old do i need to be to open an account | can i have more than one card |
do you offer virtual cards | how do i get a disposable card | what is the limit for top ups |
what are the limits for withdrawals | which atms can i use | can i top up with a cheque |
can i top up with apple pay | how does auto top up work | where do i find the auto top up setting |
what do i need to verify my identity | why do you need my identity | do you accept american express |
is your card visa or mastercard | can i choose mastercard | i want to close my account |
how do i set up two factor | how do i export my data | how do i cancel my subscription |
how do i update my personal details | i would like to change my name | i moved, how do i tell you my new address |
can a friend send money to my account | can i get paid in euros | what countries do you serve |
do you ship to canada | do you have this in size m | what time do you open | when does the store close |
are you open on sunday | when is the next sale | where is the nearest branch | will there be a student discount |
do students get a discount | is breakfast included | can i bring a carry-on | can i take my dog on the train |
can i still fly with someone else's card | is there parking at the station |
does the new camera work with version 6 | will you support the new watch | when does the new season start |
when is the release date | when will the new phone be in stock | is it free to use |
what is the difference between basic and pro | any tips for a beginner | what should i watch next |
what song is this | who sings this | please add a dark mode | please add more languages | please add more songs |
it would be nice to have a sleep timer | would be cool if you added playlists folders |
wish there was an option to sort by date | i wish it had lyrics translation | you should add a shortcut |
feature request: offline maps | suggestion: let us hide podcasts | can you add my favorite band |
bring back the old logo | please make it free | please make premium cheaper | too expensive | it's too expensive |
too many ads | ads ads ads | so many ads between songs | ads are annoying but the app is good |
the ads could be shorter | only six skips per hour without premium | you have to pay for everything |
need premium for everything | why do i need premium to pick a song | prices went up again |
price is going up again, greedy | not worth the money | rip off prices | i hate that you have to pay for it |
other apps are cheaper | data caps are a scam | data cap | data caps | data usage cap | the 300 gb limit is unfair |
unfair data limit | stop the data caps | they have a monopoly here | we need more competition | monopoly prices |
big company, big greed | i don't like the new logo | the old design was nicer | not my style | boring |
i prefer the other one | the recommendations are not my taste | i don't care | whatever |
who cares about this match | just a test | test | testing 123 | please ignore | asdf | i am the first to comment |
drake is the goat | the new album is a masterpiece | this song makes me cry every time |
this playlist is everything | my mom loves this singer | singing in the shower | roses are red violets are blue |
the dog ate my homework again haha | my cat sits on the router because it's warm |
had a great time at the power station museum | tour of the old power station was fun |
dinner at the lighthouse restaurant | at the light rail station, off to work | coffee first | monday motivation |
throwback thursday to this night | #tbt #nightout #lights | #love #photography #light #sunset |
#fitness #power #workout #gym | #art #blacklight #neon #party | #nowplaying power by kanye west |
listening to lights on repeat | so happy with this new place, come check it out |
check out my latest post, new photos from the weekend | check out this gorgeous mural down by the arts district |
shout out to everyone who came out last night | shout out to my team for showing up |
thank you to everybody who came out to support | come out tonight and party with us |
come hang out with us on friday | we are out here having fun | out for a walk with the dog |
out for drinks with the girls | out of this world dinner | date night at the electric lounge |
at the powerhouse gym with my brother | at power station for brunch | i'm at light bar in new york |
just posted a photo @ electric park | watching lights out at the cinema, so scary |
early screening tonight, so excited | twinkly lights make me happy |
new led lights for the kitchen, bright and clean | cool lights under 50 dollars, check it out |
interior design with soft light | lighting is everything in photography | long exposure light trails downtown |
sun is out and the light is gorgeous | still light out at nine, summer is here | walk out into the light |
into the light of a new day | choose light, choose love, choose hope | the kingdom of god is light |
jesus is the power and the glory | prayer is powerful, never stop believing | pray for our country and its leaders |
powerful message in church today | powerful women lifting each other up | empower the young women in tech |
happy women's day to all the strong ones | the power of conversation, new ideas and insights |
great panel discussion, thanks to all speakers | join us for a talk about the future of energy |
ready for a new look? my books are open | hair by me, book now | model of the day, makeup by my friend |
the artist put so much work into this piece | this artwork was made by students, amazing |
working on the album cover, stay tuned | stream it everywhere, link in bio | dj set tonight, doors at nine |
the band played all my favorites | had fun on set with the cast | this episode was wild, no spoilers |
no spoilers please | she has a terrible outfit on tonight, sorry | turns out he was the killer all along |
you know the drill, popcorn and lights off | bedtime story and lights out at eight |
baby finally asleep, out like a light | sleeping like a rock | no sleep till the weekend |
tired but happy after a long day | long run sunday then a power nap | sweat it out at hot yoga |
pole class with the best girls | batting practice today, working on power |
more power from the left side, he can play multiple positions | he swings it well but the bullpen blew the lead |
our pitching is not good enough this season | the coach was thrown out of the game | ref missed the call, robbery |
what a goal, what a night | you light up my life | it scares me how fast time goes | i hope you feel better soon |
she never lost her power over him | they lost power in the senate last fall | they can't stand losing their power |
nobody believes the attorney general | tax cuts and the economy are what voters care about |
climate change is a problem for our generation | immigration is broken, fix the law | congress is broken |
the system is broken and money rules | renewables are cheaper than coal and gas |
energy prices are a political issue | cost of nuclear compared to wind, a thread | electric scooters are fun |
electric guitar solo of the century | electric blue dress for the party |
i highly recommend a battery backup for your computer | car care tip: check your turn signals and backup lights |
crews are working to restore power to thousands, officials say | utility expects recovery to take several days |
power company apologises for last week's outage | glad everyone is ok after the storm | everyone stay dry tonight |
happy father's day to all the dads | happy thanksgiving to you and yours | drinking a lager at the tap room |
drinking a hazy ipa, not bad | i love flying with you | i have already done that | i did, thank you |
sent you a dm | just sent you a dm | ok done | yes please | it's the newest version | looking for the blue one |
what about a student discount | any plans to support the new camera | are there any plans for a linux version |
will it be complimentary | will there be a sequel | when will the other networks stream live |
please support shortcuts, i want to integrate it | there should be a button to hide songs |
the free version should have more skips | can't pick songs without premium, make it free |
you have to get premium for everything | always pushing premium | make all the features free |
i like it but there are too many ads | i love it but the ads are annoying | the only thing i don't like is the ads |
it's good but the price is high | its ok i guess | not bad | meh | quality | worse than the competition |
not user friendly | low variety, bye bye | never stop | keep going | you will like it |
you can find anything on it | everything runs smoothly | no complaints | no ads in premium, worth it |
my life is better with it | one of my favourite apps | my fave app | beautiful songs | songs make me feel things |
good for crying and dancing | super duper | monopolies are bad for everybody | bring competition to our town |
internet should be a public utility | unlimited should mean unlimited | data limit is greedy |
data overage policy is unfair | data usage charges are a rip off | high prices and no choice | prices too high |
price increase every year | expensive bundle | please stop with the commercials | is using the card free |
are there fees for exchanging currencies | are there discounts for frequent exchanges |
are there limits for virtual cards | what are the age requirements | where are your cards accepted |
where can i get a physical card | where do i see the rates | how do i change pounds to dollars |
how do i request a pin | how do i add money from my card | can i get a throwaway card | can i pay with a cheque |
i would like to order a virtual card | i want to change my personal details |
i am travelling, how do i get the local currency | i'd like to get a visa card | which country can i use it in |
how much does delivery cost | do i need a european card for this | what does it cost to send money abroad |
my favourite tunes in my pocket wherever i go | twenty squats a day and i feel reborn |
her voice is honey, her shoes even better | kindness wins over anger every time |
a candle loses nothing by lighting another one | lantern craft with the kids, made from old jars |
join our community garden, new faces welcome | this show had me fooled, i thought it was cancelled |
the kid from the academy will be a star, remember my words | my scars made me who i am |
his name on a big sign above the theatre | the left says this, the right says that, same old story |
parliament fights over the budget again | minister resigned, who is next |
ask your representative about the energy bill |
affected customers of last week's failure can claim compensation, read how |
grid operator: 1,900 homes in the neighbouring district back by noon |
newsletter: everything about the storm of the century | ski lift story of the year, read it in our magazine |
company spokesman praised crews after the record storm |
statewide numbers from the utility's map, refreshed hourly | outage totals by county, source: utility |
learn how to drive safely when signals are dark | our fence fell over but the house is fine, thank god |
the cashier complimented my hair and made my day | the gate crew at my airport sings in the morning, adorable |
that pilot has jokes | signed up for the spring marathon | free donut day and i'm wearing a wizard hat |
staff at this bakery always greets you with a smile | let me put one song into two lists, that'd be neat |
finer steps for the timer would be lovely | a yearly recap with albums please |
i wish skips were unlimited on the free plan | new here since sunday and already a fan |
one small hiccup at the start years ago, smooth sailing ever since | ten years with you and not a single hiccup |
tell me more about automatic payments please | may my brother put money on my card too |
which documents are required for registration | i live near the station in the old town |
filming starts in march, so pumped | double feature at the drive-in tonight | winning isn't everything, effort is |
right hook of the year, what a fight | hockey night, two men more and still no goal |
our club is out of the playoffs, next year then | debut record drops in june, vinyl too |
next car will be a hybrid, range matters to me | feeling blue and hopeful at the same time |
careful with words, they last | cloudy but warm barbecue with dad | more people should vote, end of rant |
beauty salon open for bookings, come glow with us | feeding the giraffes in bright sunshine |
lamp shopping, found a beauty | glow party with neon paint | i have the older model and the newest software |
resistance bands are underrated | wire sculpture exhibition opens friday | japan debates restarting its reactors |
my teeth glow in the neon club haha | in which shops is the card accepted | where on earth does your card work |
can teenagers sign up | what are the steps to leave the bank | i'd like to leave and close everything |
moving house, what must i fill in | which foreign currencies may i keep | how do i pay less in fees |
endless music and no cost, thumbs up | the free tier nags, otherwise fine | shine bright friends |
power move by my grandma, she took the last cookie | that man on the drums is pure electricity |
so much electricity in the air tonight at the derby | power suit on, heels on, let's go |
power trip much? some people | my grandma had the power of persuasion | power ballads all night at karaoke |
reading about the power struggle in rome | high power telescope night at the observatory |
more horsepower than my old truck | flower power party pics | powered by coffee and chaos |
lit candles, bubble bath, lights low, heaven | light bulb moment in class today |
lights of the harbour from our balcony | date by candlelight, so romantic | northern lights last night, unreal |
light snow falling, cocoa ready | the spotlight suits her | speed light portrait tutorial on my channel |
blackout tattoo, third session done | blackout friday wine night with the ladies |
the outage of common sense in politics | shut down the haters | shutdown of the government, day 4, senators argue |
Had the best evening with old friends, food was lovely and the band even better |
Can't believe it's been ten years since we opened our doors, thank you all for being with us |
Spending the day with my sister at the lake, no phone, no worries |
My new boots came today and they fit like a glove, so quick too |
Today I learned how to make bread and I am way too proud of it | If you see this, have a wonderful day |
It's not about the money, it's about the people you meet | Don't give up, the best is still to come |
You can't stop what's coming, believe in yourself | Never let anyone tell you that you are not enough |
Not all who wander are lost | I'm not crying, you are crying | I can't stop listening to this album |
I can't stop laughing at this video | I can't even, this puppy is too cute | can't complain, life is good |
I don't know who needs to hear this but drink some water | nothing beats a cold drink on a hot day |
nothing but love for this city | no regrets | no pain no gain | no place like home | not today satan |
not gonna lie this pizza is amazing | still the best film of all time | still can't believe we won |
still thinking about that dinner | still not over that ending | finally weekend |
finally got my hands on the new console | back in town and loving it | again and again, this team delivers |
down in the valley with my bike | off to the beach | off work early today, yes |
turn it off and go outside, the sun is shining | out now: our new podcast episode about gardens |
sold out again, thank you so much | sign up now and get the first month free |
limited offer: new customers save 30 percent | visit our website for more information |
order today, delivered tomorrow | call now for a free quote on your new roof |
we offer repair services for phones and tablets, walk in any time |
our electricians are available around the clock, call us | need a generator? we have them in stock |
download our app and earn points | use my code for 10 percent off |
join our team as a customer service agent, full time | webinar on thursday: how to keep your servers up |
read our report on cloud reliability | new study says screen time is rising |
scientists found a new way to store energy | the history of electricity in ten pictures |
on this day the first telephone call was made | the prime minister will speak about energy at eight |
the mayor opened a new bridge this morning | airline orders forty new planes | bank reports record profit |
phone maker unveils its new model | the new season of the show starts on friday |
the game comes out in november for all consoles | pre-orders open next week |
trailer just dropped and it looks sick | patch notes for the new season are here |
streaming live tonight at 8, come say hi | just hit level 50 | just finished the marathon, personal best |
just voted | just married | just landed, hello lisbon | just had the best tacos of my life |
at the airport, vacation mode on | on the train to the mountains with a good book |
first class upgrade, thank you crew | the driver was so nice and played my favorite songs |
the technician was friendly and quick, all working | they fixed my line in ten minutes, impressed |
solved, it was my own mistake | never mind, found it | never mind, it works | it's working again |
it was my cable, sorry for the noise | update: all good | back online, thanks everyone | looks like it's back up |
service restored, thank you | got my refund today, thank you | parcel arrived, all good |
my card arrived today, nice design | received it, thanks | great, thanks for letting me know | ok got it |
perfect, thank you! | will do, thanks | sure | lol ok | you too | same to you | no worries | welcome |
who wants to come with me | who is your favorite player | what is your favorite song | what's for dinner |
what's the best plan for a family | which phone should i buy | which plan is right for me |
would you recommend the premium plan | should i get the big one or the small one | is the premium plan worth it |
is there a family plan | is there a desktop version | is it possible to pay in instalments | is there an age limit |
can i change my seat later | can i pick up my order in the store | can i gift a subscription |
can i use it on two devices | can two people share one account | could i get an invoice with my company's name |
do you have a vegan menu | do you sell gift cards | does the ticket include the bus | how big is the screen |
how do i get points | how do i add a second user | how do i turn on dark mode | how do i book a seat |
how do i apply for the job | how many devices can i use | how long is the warranty |
where can i download the manual | where can i buy tickets | where do you deliver | when do the tickets go on sale |
when is the next train to york | what time is kick off | what documents do i need | what is the minimum age |
what is the cheapest plan | what is the maximum amount per day | what kinds of cards do you offer |
what currencies can i keep | who do i contact for a partnership |
i am thinking of switching to you, what are the offers | i want to buy a second one for my mum |
i want to upgrade my plan | i'd like to order more cards | please tell me your opening hours | please follow back |
please vote for me | please bring this flavour back | please open a store in my town |
please make a tablet version | please let us choose the colors | please lower the price |
you should make an album about this | more songs from my country please | would love a widget |
a darker theme would be great | hope you add lyrics one day | idea: let people vote on songs |
premium is too expensive for students | costs too much | way overpriced | price went from 9 to 12 |
i won't pay that much | paying for skips is silly | ads every two songs | the ads are too loud haha |
so many commercials | i hate ads | hate the new colors | not a fan of the redesign | ugly icon |
the app is okay but nothing special | i liked it more before | i prefer vinyl | doesn't have my favorite artist |
algorithm thinks i'm sixty | recommendations are so good lately | discover weekly is on fire |
my top song this year is embarrassing | music is life | music is my therapy | good vibes only | so relaxing |
so many songs | all my favorite artists in one place | love love love | love it | loved it | obsessed |
amazing music and podcasts | fantastic | super | brilliant | beautiful | nice app | good quality | good service |
great service | great music | great sound | great selection | best | best ever | the best music app |
excellent app | very nice app | awesome | wonderful | legendary | goated | a must have | five stars |
all the power to you my friend | power outfit for a power meeting | power breakfast with the sales team |
power washing the driveway is so satisfying | power tools on sale | power chords are easy to learn |
power bank giveaway | he has the power to make me smile | she is a powerhouse | she's got the power |
we have the power to change things | powerful performance | powerful speech by a young woman |
powerlifting meet on saturday | powder and power, best ski day | the power of community | the power of a smile |
the power of now, great book | balance of power in the region | power struggle in the coalition |
voters took the power back | corporate power and lobbying | seize the power | black power | people power |
nuclear powers meet in geneva | will power is a muscle | star power on the red carpet |
power forward with 20 points | more power at the plate this season | raw power and great footwork |
drums and power, what a live show | out of power puns | went out for a run | went out with the boys |
going out in style | out with the old, in with the new | inside out is a great film | came out as a book lover |
cut it out lol | knock out roses are blooming | workout done | working out with my trainer | take out for dinner |
check out time is eleven | check us out on friday | chill out music | find out more at our stand |
find out what your star sign says | freak out in a good way | cried my eyes out | watch out for this young artist |
lights on the water | lights and colors everywhere | festival of lights starts today | light show at the zoo |
light and airy living room | light as a feather | light blue looks good on you | bright light, big city |
love and light to everybody | sending light and healing | see the light in others | step into your light |
light therapy changed my winter | lighting designer of the year | first light on the mountains |
morning light in the kitchen | evening light | moonlight walk | lightweight jacket season |
lightning in a bottle, what a band | lightning struck the tower, what a photo | the sky was electric tonight |
electric slide at the wedding | electric blue nails | electric forest tickets are here | electric lady studios |
electric toothbrush recommendations | electric vehicles are the future | electrician by day, dj by night |
electricity between those two actors | shocked by that plot twist | brain fog today | brain not found |
my brain has left the chat | my mood: 404 | my wallet is offline until payday | i need a vacation from my vacation |
my bed and i have a strong connection | lost connection with my old classmates | i lost my heart in paris |
lost in the music | lost in thought | delayed gratification | cancelled my plans to stay in bed, best choice |
cancel culture is a debate | charged up and ready for the weekend | the crowd went crazy |
crash pad for the weekend | error is human | fail better | failing forward is my motto | bug spray and campfires |
frozen is my daughter's favorite movie | frozen pizza night | freezing out here but the view is worth it |
stuck in a daydream | stuck on you | a glitch in the matrix lol | lag? no, i just play badly | broke but happy |
broken english, happy heart | dead tired but happy | dead poets society again | killed it on stage
""",
}

CHATTER_EN: Final[dict[str, tuple[str, ...]]] = {
    language: tuple(text.strip() for text in texts.split("|")) for language, texts in _TEXTS.items()
}
