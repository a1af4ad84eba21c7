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
love this app | i love it so much | best app ever | great app | good app | very good | nice | excellent | amazing | ok |
awesome app, five stars | super easy to use | perfect for listening to music while i work | i love all the songs | wow |
good music and good quality | best music app hands down | it has every song i like | really nice app, i recommend it |
i use it every day and i'm happy | it's the best | so good | cool | fine | 10/10 | works great | works perfectly |
works like a charm for me | no problems at all | never had any issues with it | everything works fine here | thank you |
all good on my side | fast and reliable | very fast delivery, thank you | thanks | thanks so much for your help | lol |
thank you for the quick reply | thanks, it works now | fixed now, thank you | it's back, thanks for the quick fix | no |
all good now, cheers | ok thanks i will try that | ok i did it, thanks | great customer service | great job team | yes |
the lady on the phone was so kind | your staff in the store is so friendly | best flight i've had in years | hello |
shout out to the crew of my flight, best people | such a smooth ride today | beautiful design, well done | good night |
keep up the good work | the support team helped me so much, amazing company | love the new update | you guys rock |
the new design looks great | loving the new dark theme | sound quality is great, better than the others | haha so true |
this app makes my life easier | helps me relax after work | happy customer since 2012 | proud to be part of this team |
my kids love it | very useful and practical | simple and beautiful | highly recommended | impressed with the speed |
finally an app that just works | good for long drives | it calms me when i cry | worth every penny | omg same | agreed |
congratulations on the new store | happy birthday to my favorite brand | good morning everyone | have a nice weekend |
see you at the concert tonight | can't wait for the show | who is going out tonight | just landed in vegas |
lunch with the team | what a beautiful view | new blog post is up | new video out now, link in bio | what a power move |
our album is out now on all platforms | single out friday, pre-save it | check out my new mixtape | follow me for more |
check out our new collection of lights | check out this deal, 50% off today only | buy one get one free, shop now |
free shipping on all orders this weekend | win a free phone, click the link | get your free gift card here |
earn money from home, dm me | invest in bitcoin and double your money | like and share to win | power couple goals |
hiring: electrician in dallas, apply here | we are hiring! join our power team | job alert: power plant operator |
for sale: electric guitar, barely used | electric bikes now in stock | best prices on solar panels, call us today |
save on your energy bill with our led bulbs | book your appointment with us today | come see us at booth 12 |
dont miss out, tickets on sale now | don't miss our sale, ends tonight | that was such a power move | power nap time |
lights, camera, action! shooting a new video today | power hour at the bar | girl power | power to the people |
with great power comes great responsibility | knowledge is power | the power of love | the power of music is real |
the power of positive thinking | never underestimate the power of a good breakfast | i feel the power in this workout |
working out to get more power in my swing | power yoga class this morning | power lifting pr today | rest in power |
speed and power training with coach | power rankings are out | power ranger costume for halloween | out like a light |
watching power tonight, can't wait for the new season | season finale of power was crazy | power play goal in overtime |
power hitter, he went yard twice last night | they scored on the power play | his fastball has serious power |
the engine has so much power | brain power needed to figure this out | he is abusing his power | god is my light |
they just want to stay in power | absolute power corrupts | the party in power will lose the election | light it up |
congress should limit the power of the president | politicians only care about power and money | red light green light |
it is all about power and control | nuclear power is the future | wind power is cheaper than coal now |
solar power for every home | the new power plant will open next year | lights out, good night | light lunch and a walk |
lights out for the champ, knockout in the second round | he punched his lights out | baby is out like a light |
leave the light on for me | be the light in the darkness | this little light of mine | love the light in this photo |
the light at the end of the tunnel | christmas lights are out, so pretty | we went out to see the christmas lights |
city lights at night, love this view | the light was perfect for pictures | natural light portrait session |
drinking a bud light with the guys | drinking a pale ale by my favorite brewery | it's lit tonight |
light rain this morning, still went for a run | traffic light colours explained to my kid | neon lights and loud music |
dancing in the dark all night | dark mode is my favorite thing | stage lights and fog machines | blackout cake recipe |
the lights went down and the band came on | turn off the lights and watch a scary movie | the crowd was electric |
watching the movie lights out with friends | the last one out turns off the lights | she was electric on stage |
green light from the investors, let's go | electric atmosphere at the stadium | electric car test drive today |
our first electric suv is here | electric feel is stuck in my head | the electric light orchestra still rocks |
going out to the electric ballroom | my exam was a total brain outage | my brain had a blackout during the exam |
my brain is offline today | i need to reboot myself | mental shutdown until monday | my social battery is dead lol |
i blacked out after two tequilas | blackout curtains are the best purchase ever | blackout poetry is fun | settle down |
this song hits like a blackout | we blacked out the whole room for the party | the team went dark in the second half |
he crashed the wedding | crash course in python | crash landed on my bed | stock market crash incoming | gg everyone |
crash bandicoot is my childhood | i am so down for this | down for pizza tonight? | get down on the dance floor |
down to earth people | calm down everyone | down by the river | breaking down the play | my heart is broken | 😍😍😍 |
i broke down crying at that movie | broken hearts and cold beer | breaking bad is the best show | this meme broke me |
she broke the internet with that dress | error 404: motivation not found | 404 girlfriend not found | drink more water |
my diet has stopped working lol | adulting not working out for me | working from home today | mixed signals again | ❤️ |
monday is a bug not a feature | my ex is like bad wifi, no connection | there is a real connection between us | 👍 |
we had such a good connection | he left me on read | my phone is my life | i am in charge here | train hard, win easy |
charge your crystals tonight, full moon | he was charged with fraud | police charged two men with robbery | 👏👏👏 |
the judge dropped the charges | free of charge for kids under six | the water is so blue here | blue water, white sand |
the gas station has great coffee | train like a beast | training at the gym | the soul train awards | fire mixtape |
i caught feelings not flights | flight club was fun | what a game last night | best game of the year | 🔥🔥🔥 | 😂😂 |
this boss fight is killer | that outfit is fire | that burger killed me, so good | dead 💀💀 that's hilarious |
i'm dying laughing | the storm was beautiful from the balcony | such a lovely thunderstorm, love the sound of rain |
hope everyone is safe in the storm | stay safe out there | praying for everyone in the path of the hurricane |
please no power outage during the game today | everybody praying the power doesn't go out | our power is back on |
hope the lights stay on tonight | hope your power comes back soon | glad you got your power back |
power is back, thank you to the crews | power restored, thank you linemen | we were lucky, we never lost power |
no outage here, we are fine | no power outage for us this time | remember the big blackout of 2003 |
ten years ago today the great blackout hit the northeast | history of the 1977 blackout, new documentary |
what to do in a power outage: five tips | how to prepare for a blackout | here is our guide to surviving a power cut |
generators on sale, be ready for the next outage | i bought a ups so the next power cut won't matter | out and about |
power outage in argentina leaves millions in the dark, officials say | a look back at last year's outage |
thousands of customers without power after storm in puerto rico, reports say | shares fall after outage at rival |
utility says 12,000 customers lost power in neighbouring county | officials confirm outage was caused by a squirrel |
power company reports 3,400 customers affected, crews on scene | company explains cause of outage in blog post |
the outage last month cost the airline 100 million dollars | breaking news: major cloud outage hits several companies |
regulator fines bank over outage | minister says grid is stable | experts warn of blackouts next winter |
utility announces planned maintenance for next month | trump said on tv that wind power kills birds |
senator speaks about the electricity bill | vote yes on proposition 7 | what do you think about the new law |
do not believe everything on the news | i hope that works out for you | it all worked out in the end |
works out of his garage | figure it out together | turns out i am 40 now | turns out the cake was delicious |
sold out show, thank you chicago | hanging out with friends | eating out tonight | out of office until monday |
how can i change my pin | how do i order a second card | can i use my card abroad | which currencies do you support |
what is the exchange rate today | what are your exchange rates | is there a fee for transfers | which atms can i use |
how much does an extra card cost | how much is the express delivery | how long does a transfer usually take |
how old do i need to be to open an account | can i have more than one card | do you offer virtual cards |
how do i get a disposable card | what is the limit for top ups | what are the limits for withdrawals |
can i top up with a cheque | can i top up with apple pay | how does auto top up work | why do you need my identity |
where do i find the auto top up setting | what do i need to verify my identity | do you accept american express |
is your card visa or mastercard | can i choose mastercard | i want to close my account | how do i set up two factor |
how do i export my data | how do i cancel my subscription | how do i update my personal details | is it free to use |
i would like to change my name | i moved, how do i tell you my new address | can a friend send money to my account |
can i get paid in euros | what countries do you serve | do you ship to canada | do you have this in size m |
what time do you open | when does the store close | are you open on sunday | when is the next sale | what song is this |
where is the nearest branch | will there be a student discount | do students get a discount | is breakfast included |
can i bring a carry-on | can i take my dog on the train | can i still fly with someone else's card | who sings this |
is there parking at the station | does the new camera work with version 6 | will you support the new watch | data cap |
when does the new season start | when is the release date | when will the new phone be in stock | please make it free |
what is the difference between basic and pro | any tips for a beginner | what should i watch next | too expensive |
please add a dark mode | please add more languages | please add more songs | it would be nice to have a sleep timer |
would be cool if you added playlists folders | wish there was an option to sort by date | you should add a shortcut |
i wish it had lyrics translation | feature request: offline maps | suggestion: let us hide podcasts | too many ads |
can you add my favorite band | bring back the old logo | please make premium cheaper | it's too expensive | data caps |
ads ads ads | so many ads between songs | ads are annoying but the app is good | the ads could be shorter | boring |
only six skips per hour without premium | you have to pay for everything | need premium for everything | not my style |
why do i need premium to pick a song | prices went up again | price is going up again, greedy | not worth the money |
rip off prices | i hate that you have to pay for it | other apps are cheaper | data caps are a scam | data usage cap |
the 300 gb limit is unfair | unfair data limit | stop the data caps | they have a monopoly here | monopoly prices |
we need more competition | big company, big greed | i don't like the new logo | the old design was nicer | whatever |
i prefer the other one | the recommendations are not my taste | i don't care | who cares about this match | test |
just a test | testing 123 | please ignore | asdf | i am the first to comment | drake is the goat | coffee first |
the new album is a masterpiece | this song makes me cry every time | this playlist is everything | monday motivation |
my mom loves this singer | singing in the shower | roses are red violets are blue | the dog ate my homework again haha |
my cat sits on the router because it's warm | had a great time at the power station museum | #tbt #nightout #lights |
tour of the old power station was fun | dinner at the lighthouse restaurant | at the light rail station, off to work |
throwback thursday to this night | #love #photography #light #sunset | #fitness #power #workout #gym |
#art #blacklight #neon #party | #nowplaying power by kanye west | listening to lights on repeat |
so happy with this new place, come check it out | check out my latest post, new photos from the weekend |
check out this gorgeous mural down by the arts district | shout out to everyone who came out last night |
shout out to my team for showing up | thank you to everybody who came out to support | come hang out with us on friday |
come out tonight and party with us | we are out here having fun | out for a walk with the dog | hair by me, book now |
out for drinks with the girls | out of this world dinner | date night at the electric lounge | walk out into the light |
at the powerhouse gym with my brother | at power station for brunch | i'm at light bar in new york |
just posted a photo @ electric park | watching lights out at the cinema, so scary | twinkly lights make me happy |
early screening tonight, so excited | new led lights for the kitchen, bright and clean | into the light of a new day |
cool lights under 50 dollars, check it out | interior design with soft light | lighting is everything in photography |
long exposure light trails downtown | sun is out and the light is gorgeous | still light out at nine, summer is here |
choose light, choose love, choose hope | the kingdom of god is light | jesus is the power and the glory |
prayer is powerful, never stop believing | pray for our country and its leaders | powerful message in church today |
powerful women lifting each other up | empower the young women in tech | happy women's day to all the strong ones |
the power of conversation, new ideas and insights | great panel discussion, thanks to all speakers |
join us for a talk about the future of energy | ready for a new look? my books are open | had fun on set with the cast |
model of the day, makeup by my friend | the artist put so much work into this piece | dj set tonight, doors at nine |
this artwork was made by students, amazing | working on the album cover, stay tuned | the band played all my favorites |
stream it everywhere, link in bio | this episode was wild, no spoilers | no spoilers please | sleeping like a rock |
she has a terrible outfit on tonight, sorry | turns out he was the killer all along | no sleep till the weekend |
you know the drill, popcorn and lights off | bedtime story and lights out at eight | tired but happy after a long day |
baby finally asleep, out like a light | long run sunday then a power nap | sweat it out at hot yoga |
pole class with the best girls | batting practice today, working on power | the coach was thrown out of the game |
more power from the left side, he can play multiple positions | he swings it well but the bullpen blew the lead |
our pitching is not good enough this season | ref missed the call, robbery | what a goal, what a night | sent you a dm |
you light up my life | it scares me how fast time goes | i hope you feel better soon | congress is broken | ok done |
she never lost her power over him | they lost power in the senate last fall | they can't stand losing their power |
nobody believes the attorney general | tax cuts and the economy are what voters care about | electric scooters are fun |
climate change is a problem for our generation | immigration is broken, fix the law | everyone stay dry tonight |
the system is broken and money rules | renewables are cheaper than coal and gas | energy prices are a political issue |
cost of nuclear compared to wind, a thread | electric guitar solo of the century | electric blue dress for the party |
i highly recommend a battery backup for your computer | car care tip: check your turn signals and backup lights | meh |
crews are working to restore power to thousands, officials say | utility expects recovery to take several days |
power company apologises for last week's outage | glad everyone is ok after the storm | drinking a hazy ipa, not bad |
happy father's day to all the dads | happy thanksgiving to you and yours | drinking a lager at the tap room | not bad |
i love flying with you | i have already done that | i did, thank you | just sent you a dm | yes please | quality |
it's the newest version | looking for the blue one | what about a student discount | will it be complimentary |
any plans to support the new camera | are there any plans for a linux version | will there be a sequel | never stop |
when will the other networks stream live | please support shortcuts, i want to integrate it | always pushing premium |
there should be a button to hide songs | the free version should have more skips | make all the features free |
can't pick songs without premium, make it free | you have to get premium for everything | its ok i guess | keep going |
i like it but there are too many ads | i love it but the ads are annoying | the only thing i don't like is the ads |
it's good but the price is high | worse than the competition | not user friendly | low variety, bye bye | my fave app |
you will like it | you can find anything on it | everything runs smoothly | no complaints | my life is better with it |
no ads in premium, worth it | one of my favourite apps | beautiful songs | songs make me feel things | super duper |
good for crying and dancing | monopolies are bad for everybody | bring competition to our town | data limit is greedy |
internet should be a public utility | unlimited should mean unlimited | data overage policy is unfair |
data usage charges are a rip off | high prices and no choice | prices too high | price increase every year |
expensive bundle | please stop with the commercials | is using the card free | are there limits for virtual cards |
are there fees for exchanging currencies | are there discounts for frequent exchanges | what are the age requirements |
where are your cards accepted | where can i get a physical card | where do i see the rates | how do i request a pin |
how do i change pounds to dollars | how do i add money from my card | can i get a throwaway card |
can i pay with a cheque | i would like to order a virtual card | i want to change my personal details |
i am travelling, how do i get the local currency | i'd like to get a visa card | which country can i use it in |
how much does delivery cost | do i need a european card for this | what does it cost to send money abroad |
my favourite tunes in my pocket wherever i go | twenty squats a day and i feel reborn | my scars made me who i am |
her voice is honey, her shoes even better | kindness wins over anger every time | minister resigned, who is next |
a candle loses nothing by lighting another one | lantern craft with the kids, made from old jars |
join our community garden, new faces welcome | this show had me fooled, i thought it was cancelled |
the kid from the academy will be a star, remember my words | his name on a big sign above the theatre |
the left says this, the right says that, same old story | parliament fights over the budget again |
ask your representative about the energy bill | grid operator: 1,900 homes in the neighbouring district back by noon |
affected customers of last week's failure can claim compensation, read how | outage totals by county, source: utility |
newsletter: everything about the storm of the century | ski lift story of the year, read it in our magazine |
company spokesman praised crews after the record storm | statewide numbers from the utility's map, refreshed hourly |
learn how to drive safely when signals are dark | our fence fell over but the house is fine, thank god |
the cashier complimented my hair and made my day | the gate crew at my airport sings in the morning, adorable |
that pilot has jokes | signed up for the spring marathon | free donut day and i'm wearing a wizard hat |
staff at this bakery always greets you with a smile | let me put one song into two lists, that'd be neat |
finer steps for the timer would be lovely | a yearly recap with albums please | filming starts in march, so pumped |
i wish skips were unlimited on the free plan | new here since sunday and already a fan | careful with words, they last |
one small hiccup at the start years ago, smooth sailing ever since | ten years with you and not a single hiccup |
tell me more about automatic payments please | may my brother put money on my card too | lamp shopping, found a beauty |
which documents are required for registration | i live near the station in the old town | glow party with neon paint |
double feature at the drive-in tonight | winning isn't everything, effort is | right hook of the year, what a fight |
hockey night, two men more and still no goal | our club is out of the playoffs, next year then | can teenagers sign up |
debut record drops in june, vinyl too | next car will be a hybrid, range matters to me | how do i pay less in fees |
feeling blue and hopeful at the same time | cloudy but warm barbecue with dad | more people should vote, end of rant |
beauty salon open for bookings, come glow with us | feeding the giraffes in bright sunshine | shine bright friends |
i have the older model and the newest software | resistance bands are underrated | my teeth glow in the neon club haha |
wire sculpture exhibition opens friday | japan debates restarting its reactors | in which shops is the card accepted |
where on earth does your card work | what are the steps to leave the bank | i'd like to leave and close everything |
moving house, what must i fill in | which foreign currencies may i keep | endless music and no cost, thumbs up |
the free tier nags, otherwise fine | power move by my grandma, she took the last cookie | power trip much? some people |
that man on the drums is pure electricity | so much electricity in the air tonight at the derby | shut down the haters |
power suit on, heels on, let's go | my grandma had the power of persuasion | power ballads all night at karaoke |
reading about the power struggle in rome | high power telescope night at the observatory | flower power party pics |
more horsepower than my old truck | powered by coffee and chaos | lit candles, bubble bath, lights low, heaven |
light bulb moment in class today | lights of the harbour from our balcony | date by candlelight, so romantic |
northern lights last night, unreal | light snow falling, cocoa ready | the spotlight suits her | no regrets |
speed light portrait tutorial on my channel | blackout tattoo, third session done | Not all who wander are lost |
blackout friday wine night with the ladies | the outage of common sense in politics | I'm not crying, you are crying |
shutdown of the government, day 4, senators argue | Spending the day with my sister at the lake, no phone, no worries |
Had the best evening with old friends, food was lovely and the band even better | I can't stop listening to this album |
Can't believe it's been ten years since we opened our doors, thank you all for being with us | no pain no gain |
My new boots came today and they fit like a glove, so quick too | If you see this, have a wonderful day |
Today I learned how to make bread and I am way too proud of it | Don't give up, the best is still to come |
It's not about the money, it's about the people you meet | You can't stop what's coming, believe in yourself |
Never let anyone tell you that you are not enough | I can't stop laughing at this video | can't complain, life is good |
I can't even, this puppy is too cute | I don't know who needs to hear this but drink some water | no place like home |
nothing beats a cold drink on a hot day | nothing but love for this city | not today satan | finally weekend |
not gonna lie this pizza is amazing | still the best film of all time | still can't believe we won | off to the beach |
still thinking about that dinner | still not over that ending | finally got my hands on the new console |
back in town and loving it | again and again, this team delivers | down in the valley with my bike |
off work early today, yes | turn it off and go outside, the sun is shining | sold out again, thank you so much |
out now: our new podcast episode about gardens | sign up now and get the first month free | bank reports record profit |
limited offer: new customers save 30 percent | visit our website for more information | use my code for 10 percent off |
order today, delivered tomorrow | call now for a free quote on your new roof | need a generator? we have them in stock |
we offer repair services for phones and tablets, walk in any time | download our app and earn points | just voted |
our electricians are available around the clock, call us | join our team as a customer service agent, full time |
webinar on thursday: how to keep your servers up | read our report on cloud reliability | pre-orders open next week |
new study says screen time is rising | scientists found a new way to store energy | airline orders forty new planes |
the history of electricity in ten pictures | on this day the first telephone call was made | just hit level 50 | sure |
the prime minister will speak about energy at eight | the mayor opened a new bridge this morning | just married |
phone maker unveils its new model | the new season of the show starts on friday | just landed, hello lisbon | lol ok |
the game comes out in november for all consoles | trailer just dropped and it looks sick | never mind, found it |
patch notes for the new season are here | streaming live tonight at 8, come say hi | at the airport, vacation mode on |
just finished the marathon, personal best | just had the best tacos of my life | first class upgrade, thank you crew |
on the train to the mountains with a good book | the driver was so nice and played my favorite songs | ok got it |
the technician was friendly and quick, all working | they fixed my line in ten minutes, impressed | it's working again |
solved, it was my own mistake | never mind, it works | it was my cable, sorry for the noise | update: all good |
back online, thanks everyone | looks like it's back up | service restored, thank you | got my refund today, thank you |
parcel arrived, all good | my card arrived today, nice design | received it, thanks | perfect, thank you! | you too |
great, thanks for letting me know | will do, thanks | same to you | no worries | welcome | who wants to come with me |
who is your favorite player | what is your favorite song | what's for dinner | what's the best plan for a family |
which phone should i buy | which plan is right for me | would you recommend the premium plan | is there a family plan |
should i get the big one or the small one | is the premium plan worth it | is there a desktop version |
is it possible to pay in instalments | can i change my seat later | can i pick up my order in the store |
can i gift a subscription | can i use it on two devices | can two people share one account | do you have a vegan menu |
could i get an invoice with my company's name | do you sell gift cards | does the ticket include the bus |
how big is the screen | how do i get points | how do i add a second user | how do i turn on dark mode | costs too much |
how do i book a seat | how do i apply for the job | how many devices can i use | how long is the warranty | i hate ads |
where can i download the manual | where can i buy tickets | where do you deliver | when do the tickets go on sale |
when is the next train to york | what time is kick off | what documents do i need | what is the cheapest plan |
what is the maximum amount per day | what kinds of cards do you offer | what currencies can i keep | way overpriced |
who do i contact for a partnership | i am thinking of switching to you, what are the offers | please follow back |
i want to buy a second one for my mum | i want to upgrade my plan | i'd like to order more cards | please vote for me |
please tell me your opening hours | please bring this flavour back | please open a store in my town | ugly icon | best |
please make a tablet version | please let us choose the colors | please lower the price | would love a widget | super |
you should make an album about this | more songs from my country please | a darker theme would be great | so relaxing |
hope you add lyrics one day | idea: let people vote on songs | premium is too expensive for students | i prefer vinyl |
price went from 9 to 12 | i won't pay that much | paying for skips is silly | ads every two songs | music is life |
the ads are too loud haha | so many commercials | hate the new colors | not a fan of the redesign | good vibes only |
the app is okay but nothing special | i liked it more before | doesn't have my favorite artist | music is my therapy |
algorithm thinks i'm sixty | recommendations are so good lately | discover weekly is on fire | so many songs | love it |
my top song this year is embarrassing | all my favorite artists in one place | love love love | loved it | obsessed |
amazing music and podcasts | fantastic | brilliant | beautiful | nice app | good quality | good service | great music |
great service | great sound | great selection | best ever | the best music app | excellent app | very nice app |
awesome | wonderful | legendary | goated | a must have | five stars | all the power to you my friend | seize the power |
power outfit for a power meeting | power breakfast with the sales team | power washing the driveway is so satisfying |
power tools on sale | power chords are easy to learn | power bank giveaway | he has the power to make me smile |
she is a powerhouse | she's got the power | we have the power to change things | powerful performance | black power |
powerful speech by a young woman | powerlifting meet on saturday | powder and power, best ski day | people power |
the power of community | the power of a smile | the power of now, great book | balance of power in the region |
power struggle in the coalition | voters took the power back | corporate power and lobbying | will power is a muscle |
nuclear powers meet in geneva | star power on the red carpet | power forward with 20 points | out of power puns |
more power at the plate this season | raw power and great footwork | drums and power, what a live show | workout done |
went out for a run | went out with the boys | going out in style | inside out is a great film | cut it out lol |
came out as a book lover | knock out roses are blooming | working out with my trainer | take out for dinner |
check out time is eleven | check us out on friday | chill out music | find out more at our stand | cried my eyes out |
find out what your star sign says | freak out in a good way | watch out for this young artist | lights on the water |
lights and colors everywhere | festival of lights starts today | light show at the zoo | light and airy living room |
light as a feather | light blue looks good on you | bright light, big city | love and light to everybody | fail better |
sending light and healing | see the light in others | step into your light | light therapy changed my winter |
lighting designer of the year | first light on the mountains | morning light in the kitchen | evening light |
moonlight walk | lightweight jacket season | lightning in a bottle, what a band | the sky was electric tonight |
lightning struck the tower, what a photo | electric slide at the wedding | electric blue nails | electric lady studios |
electric forest tickets are here | electric toothbrush recommendations | electric vehicles are the future |
electrician by day, dj by night | electricity between those two actors | shocked by that plot twist | brain fog today |
brain not found | my brain has left the chat | my mood: 404 | my wallet is offline until payday | lost in the music |
i need a vacation from my vacation | my bed and i have a strong connection | lost connection with my old classmates |
i lost my heart in paris | lost in thought | delayed gratification | cancelled my plans to stay in bed, best choice |
cancel culture is a debate | charged up and ready for the weekend | the crowd went crazy | crash pad for the weekend |
error is human | failing forward is my motto | bug spray and campfires | frozen is my daughter's favorite movie |
frozen pizza night | freezing out here but the view is worth it | stuck in a daydream | stuck on you | broke but happy |
a glitch in the matrix lol | lag? no, i just play badly | broken english, happy heart | dead tired but happy |
dead poets society again | killed it on stage | The thing about freedom is that someone always has to pay for it |
I think most politicians forget who elected them the moment they move into their big offices |
If a party loses an election it should ask itself why instead of blaming the voters or the press |
The senator has been in office for thirty years and what has he done for working families |
Taxing the rich won't solve everything but it would be a start, don't you think |
The attorney said his client will fight the charges and that the evidence never came to light |
My uncle keeps telling me that the media invents everything, dinner was fun as always |
Nuclear or wind or solar, we will need all of them in twenty years, read my thread |
The talk about the grid of the future was the most interesting of the whole conference |
He was the best shortstop of his generation and I will die on this hill |
They traded their best pitcher and now wonder why nobody comes to the games |
The kid can shoot from anywhere, give him two years and he will be an all-star |
Fourth quarter, two minutes left, and that defense simply refused to break |
Great teams find a way to win even when the shots don't fall | The coach says effort beats talent and I believe him |
Pole position for the rookie, this season is going to be wild | Hope is the small flame that burns in the darkest hour |
My fantasy league is a disaster but at least I beat my brother | God is good all the time and his mercy never ends |
Pull-ups, push-ups and a long run along the river, feeling strong today |
Finished my first half marathon with a medal and two blisters, so proud |
Leg day was brutal but we showed up and gave it all we had | Sunday service was beautiful, the choir sang like angels |
Thanks to everyone who donated at the charity run, you are amazing | She walked out of the room and every head turned |
Our fundraiser for the shelter raised more than we ever dreamed of |
So thankful for my family, my friends and everything this year has given me |
Where there is hope there is light and where there is light there is a way |
The only person you should try to be better than is who you were yesterday |
We are all witnesses of something bigger than ourselves | Sometimes I look at the stars and wonder who else is awake |
I used to be afraid of the dark and now I love the quiet of the night |
He whispered something, the candles went out, and the curtain fell |
The ghost of the old lighthouse keeper is said to walk here at night |
I stopped watching after the third season because the writers lost the plot |
I am not missing one single episode of that show this fall | Who do you think did it, my money is on the sister |
The concert last night was amazing, they played every hit and then some |
Such a small person with such a huge voice, goosebumps all over |
Old records sound better than anything on the radio today, change my mind |
Rap from the nineties is still undefeated, straight classics | Trying out a new recipe tonight, wish me luck |
New shirts are in the store now, get yours before they are gone | Little league opening day, my heart is full |
New candles in the shop, hand poured, lavender and vanilla | Brunch turned into dinner and dinner turned into dancing |
Got my supplements in the mail today, use my discount code at checkout |
Thinking about selling your house? Call me for a free estimate | Fog over the bay this morning, looked like a painting |
Our latest article explains how small companies save on energy | The trail was muddy but the waterfall made up for it |
Come by the studio on saturday, we have cake and discounts for everyone |
Excited to announce that we signed a new partner for the coming season | Three startups to watch this year, a thread |
We are so pleased with how these kitchen cabinets turned out | My therapist says I should go outside more so here I am |
Installed new lamps on the terrace and the whole garden glows now | Does anybody have a good recipe for lentil soup |
Old car show downtown, so much chrome and horsepower in one place | Which of these two jackets should I wear tonight |
Cocktails on the roof with the best company, please send aspirin tomorrow |
Happy anniversary to my other half, ten years and counting | Grandpa turned ninety and danced longer than all of us |
The museum at night is a different world, go see it while it's open | Leadership means to listen first and speak last |
Two weeks of vacation start right now and I have no plan at all | Just because you can doesn't mean that you should |
Moving to a new apartment on the first, any advice on furniture | Anyone up for chess in the park after lunch |
I could talk about this book for hours, so much to think about |
My students gave the best presentations today, I am one proud teacher |
Proud of my team for closing the biggest deal of the year |
Been with them since the beginning and would not change to anybody else |
My neighbour plays the cello every evening and I leave the window open on purpose |
Bought three plants today, that makes forty, send help and bigger windows |
The committee will meet again in spring to discuss the colours of the flag |
The novel is slow at first but the last hundred pages fly by |
Our village fair has the best cherry cake in the county and I will hear no other opinion |
I teach evening classes in pottery, two seats are left for may |
An old friend wrote me a letter by hand and it made my whole week
""",
}

CHATTER_EN: Final[dict[str, tuple[str, ...]]] = {
    language: tuple(text.strip() for text in texts.split("|")) for language, texts in _TEXTS.items()
}
