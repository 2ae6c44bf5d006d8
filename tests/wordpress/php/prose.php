<?php
/**
 * Invented prose for the everyday stories: six beats, each with titles and sentences. {place}, {road}, {age},
 * {time} and {number} are filled in per story.
 */

const PLACES = [
    'Brackenford', 'Skelby', 'Marlow Cross', 'Northwick', 'Penhallow', 'Southmere',
    'Thornhythe', 'Castle Ashby', 'Kirkdale', 'Easterfield', 'Wendlebury', 'Oakhampton',
];
const ROADS = [
    'High Street', 'Station Road', 'Marine Parade', 'Mill Lane', 'Victoria Avenue', 'Church Hill', 'Queens Road',
];

const BEATS = [
    'collision' => [
        'titles' => [
            'Police appeal for witnesses after a collision on {road} in {place}',
            'Cyclist, {age}, seriously hurt in {place} crash',
            'Lorry sheds load of turnips on {road}, {place}',
            'Air ambulance lands in {place} after motorcycle crash',
            'Driver freed by firefighters on {road} near {place}',
            '“Lucky escape” as bus hits bridge in {place}',
        ],
        'sentences' => [
            'Officers were called shortly after {time} to reports of a collision on {road}, {place}.',
            'Paramedics treated a {age}-year-old man at the scene before he was taken to hospital.',
            'The road was closed in both directions between {road} and the roundabout while crews worked.',
            'A second driver, a {age}-year-old woman, was not hurt.',
            'Buses were diverted and delays of {number} minutes were reported on the approach to {place}.',
            'Officers are keen to speak to anyone who was driving in the area and has dash-cam footage.',
            'A spokesperson said: “We would ask anyone who saw either vehicle beforehand to come forward.”',
            'Investigators examined the carriageway through the morning and it reopened at {time}.',
            'It isn’t yet known how fast the vehicles were travelling.',
            'The bridge has been struck {number} times in ten years, according to the parish council.',
        ],
    ],
    'fire' => [
        'titles' => [
            'Firefighters spend night at warehouse blaze in {place}',
            'Families moved out of flats on {road}, {place}',
            'Smoke seen for miles as barn burns near {place}',
            'Crews tackle chimney fire at {place} cottage',
            'Family of {number} ducks rescued from drain in {place}',
            'Bin fire spreads to three garages in {place}',
        ],
        'sentences' => [
            'Eight engines and around {number} firefighters attended at the height of the fire.',
            'Residents of {road} were advised to keep windows and doors closed because of the smoke.',
            'The cause of the fire isn’t believed to be suspicious.',
            'Crews wearing breathing apparatus used two hose reels and a thermal imaging camera.',
            'An aerial ladder platform was brought in from {place} and stayed until {time}.',
            'Everybody in the building was accounted for by {time}.',
            'One man, aged {age}, was given oxygen at the scene but did not need to go to hospital.',
            'The brigade said its crews would stay to damp down hot spots into the weekend.',
            'Neighbours described hearing a loud bang at about {time}.',
            'A rest centre was opened at the church hall, where volunteers served {number} breakfasts.',
        ],
    ],
    'court' => [
        'titles' => [
            'Man, {age}, charged after incident in {place}',
            'Driver banned after {road} crash in {place}',
            'Shopkeeper fined for selling stolen garden gnomes in {place}',
            'Three in court over {place} cash machine thefts',
            'Teenager admits damage to {place} war memorial',
            'Woman, {age}, cleared over {place} allotment dispute',
        ],
        'sentences' => [
            'He is due to appear before magistrates in {place} on Monday.',
            'The court heard that the incident took place on {road} at about {time}.',
            'A {age}-year-old woman arrested at the same time has been released without charge.',
            'He was ordered to pay £{number}0 in costs and a victim surcharge of £{number}.',
            'Sentencing was adjourned for reports until the new year.',
            'Defending counsel said her client was “deeply sorry” for what had happened.',
            'The chair of the bench told him he had come very close to prison.',
            'Reporting restrictions prevent the naming of the youngest defendant.',
            'Police praised the residents of {road} for the descriptions they had given.',
            'Anyone with information is asked to quote reference {number}/{number}.',
        ],
    ],
    'missing' => [
        'titles' => [
            'Missing woman from {place} found “safe and well”',
            'Concern grows for {age}-year-old missing from {place}',
            'Have you seen Barnaby? Tortoise missing from {road}, {place}',
            'Search on {place} marshes enters second day',
            'Police find walker missing overnight near {place}',
            'Boy, 12, missing from {place} traced to grandmother’s',
        ],
        'sentences' => [
            'She was last seen on {road}, {place}, at {time} on Tuesday.',
            'She is described as slim, about 5ft 6in, with short grey hair and a green coat.',
            'Officers searched outbuildings and riverbanks with the help of {number} volunteers.',
            'A police helicopter and two search dogs took part.',
            'Her family said they were “overwhelmed” by the help from strangers.',
            'Anyone who sees her is asked to dial 999 and quote log {number} of the day.',
            'It is thought she may have travelled by train towards {place}.',
            'Door-to-door enquiries went on until {time}.',
            'Inspector Ines Okafor said: “It is out of character for her to be away this long.”',
            'More to follow.',
        ],
    ],
    'coast' => [
        'titles' => [
            'Coastguard helicopter called to {place} seafront',
            '£{number},000 appeal for {place} lifeboat station',
            'Two paddleboarders brought ashore at {place}',
            'Yacht aground off {place} refloated at high water',
            'Beach closed after wartime mine found at {place}',
            'Kite surfer, {age}, thanks {place} lifeboat crew',
        ],
        'sentences' => [
            'The volunteer crew launched at {time} after several calls from people on Marine Parade.',
            'Two people were found clinging to a buoy about {number} metres from the beach.',
            'They were cold but unhurt, and were handed to an ambulance crew on the slipway.',
            'The wind was blowing offshore at {number} knots at the time.',
            'The helicopter landed on the green and left again at {time}.',
            'Helmsman Jory Penrose said: “They did the right thing by staying with the board.”',
            'It was the crew’s fourth launch of the week.',
            'A cordon of {number} metres was kept until the bomb disposal team had finished.',
            'People are reminded to call the coastguard if they see anybody in trouble at sea.',
            'The station was founded in 18{number} and has no crane of its own.',
        ],
    ],
    'roads' => [
        'titles' => [
            'Road closed in {place} as crews repair burst main',
            'Two arrested in {place} following an early-morning raid',
            'Night closures on {road}, {place}, start on Monday',
            'Power cut hits {number}00 homes around {place}',
            'Escaped cows delay trains at {place}',
            'Market traders object to parking charges in {place}',
        ],
        'sentences' => [
            'Engineers expect to be on site at {road}, {place}, until at least {time}.',
            'A signed diversion adds about {number} minutes to most journeys.',
            'Homes on the higher side of {place} may have low pressure for the rest of the day.',
            'The company apologised and said bottled water was being handed out in the car park.',
            'Residents had complained about the state of the surface since the spring.',
            'Councillor Prudence Adeyemi called the timing “baffling, even for this company”.',
            'No arrests have been made since and enquiries are continuing.',
            'The works were planned for the summer but put back after {number} objections.',
            'Train passengers were told to expect disruption until {time}.',
            'Traders say takings fell by {number} per cent in a week.',
        ],
    ],
];
