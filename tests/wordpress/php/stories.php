<?php
/**
 * What the newsroom writes: the everyday stories of the beats, and the stories that stand for one case each.
 * A story is ['title' => …, 'date' => London time, 'body' => block markup] and whatever else it needs.
 */

require __DIR__ . '/prose.php';

const AUTHORS = ['test.desk' => 'Test Newsdesk', 'a.writer' => 'Alex Writer', 'zoe.obrien' => 'Zoë O’Brien'];
const TAGS = ['Police', 'Fire', 'Missing', 'Court', 'Roads', 'Kent & Sussex', 'Weather'];
const EVERYDAY = 36;

// Blocks, in the markup that WordPress's editor saves

function paragraph($html)
{
    return "<!-- wp:paragraph -->\n<p>$html</p>\n<!-- /wp:paragraph -->\n\n";
}

function heading($text)
{
    return "<!-- wp:heading -->\n<h2>$text</h2>\n<!-- /wp:heading -->\n\n";
}

function bullets(...$items)
{
    $items = implode('', array_map(fn($item) => "<li>$item</li>", $items));
    return "<!-- wp:list -->\n<ul>$items</ul>\n<!-- /wp:list -->\n\n";
}

function quotation($text, $cite)
{
    return "<!-- wp:quote -->\n<blockquote class=\"wp-block-quote\"><p>$text</p><cite>$cite</cite></blockquote>\n"
        . "<!-- /wp:quote -->\n\n";
}

function picture($id)
{
    $alt = esc_attr(get_post_meta($id, '_wp_attachment_image_alt', true));
    $url = wp_get_attachment_image_url($id, 'large');
    return "<!-- wp:image {\"id\":$id,\"sizeSlug\":\"large\"} -->\n<figure class=\"wp-block-image size-large\">"
        . "<img src=\"$url\" alt=\"$alt\" class=\"wp-image-$id\"/>"
        . "<figcaption>Inspectors at work that morning. Photo: Test Desk</figcaption></figure>\n<!-- /wp:image -->\n\n";
}

function tweet()
{
    return "<!-- wp:html -->\n<blockquote class=\"twitter-tweet\"><p lang=\"en\">Incident on the coast road, avoid the "
        . "area.</p>&mdash; Test Police (@test) <a href=\"https://twitter.invalid/test/status/1\">June 1, 2024</a>"
        . "</blockquote>\n<!-- /wp:html -->\n\n";
}

function video()
{
    $url = 'https://www.youtube.com/watch?v=invented-01';
    return "<!-- wp:embed {\"url\":\"$url\",\"type\":\"video\",\"providerNameSlug\":\"youtube\"} -->\n"
        . "<figure class=\"wp-block-embed is-type-video is-provider-youtube\">"
        . "<div class=\"wp-block-embed__wrapper\">\n$url\n</div></figure>\n<!-- /wp:embed -->\n\n";
}

// Everyday stories

function everyday($n, $pictures)
{
    $beats = array_values(BEATS);
    $beat = $beats[$n % count($beats)];
    $place = PLACES[($n * 5) % count(PLACES)];
    $title = fill($beat['titles'][intdiv($n - 1, count($beats)) % count($beat['titles'])], $place);
    $sentences = $beat['sentences'];
    for ($i = count($sentences) - 1; $i > 0; $i--) {
        $other = mt_rand(0, $i);
        [$sentences[$i], $sentences[$other]] = [$sentences[$other], $sentences[$i]];
    }
    $sentences = array_map(fn($sentence) => fill($sentence, $place), array_slice($sentences, 0, mt_rand(4, 10)));
    return [
        'title' => $title,
        'excerpt' => $n % 4 ? '' : "The latest from $place, as our reporters have it.",
        'body' => everyday_body($n, $sentences, $pictures),
    ];
}

function everyday_body($n, $sentences, $pictures)
{
    $extras = [
        1 => $n % 3 ? picture($pictures[($n + 1) % count($pictures)]) : '',
        2 => $n % 5 ? '' : heading('What we know so far') . bullets(
            "Emergency services were first called at {$n} minutes past the hour",
            "Nobody is thought to be in danger",
            "An update is promised for this evening"
        ),
        3 => $n % 7 ? '' : quotation('We are grateful to everybody who stopped to help.', 'Chief Officer Sam Field'),
    ];
    $body = '';
    foreach (array_chunk($sentences, $n % 2 + 1) as $i => $chunk) {
        $body .= paragraph(implode(' ', $chunk)) . ($extras[$i] ?? '');
    }
    if ($n % 6 === 0) {
        $earlier = home_url('/?p=' . max(1, $n));
        $body .= paragraph("<strong>Read more:</strong> <a href=\"$earlier\">an earlier report</a> and "
            . '<a href="https://example.invalid/statement">the statement</a>.');
    }
    return $body;
}

function fill($template, $place)
{
    return preg_replace_callback('/\{(\w+)\}/', fn($match) => match ($match[1]) {
        'place' => $place,
        'road' => ROADS[mt_rand(0, count(ROADS) - 1)],
        'age' => mt_rand(18, 79),
        'number' => mt_rand(14, 90),
        'time' => sprintf('%d.%02dam', mt_rand(1, 11), mt_rand(0, 59)),
    }, $template);
}

// Stories that stand for one case each; those named in WORK are the newsroom's to change

const WORK = [
    'edited' => 'crane-stuck-over-ring-road',
    'renamed' => 'library-roof-to-be-mended',
    'moved' => 'choir-sings-through-blackout',
    'trashed' => 'fire-at-harbour-arcade',
    'guess' => 'fire-at-harbour-arcade-declared-out-by-crews',
    'replaced' => 'harvest-fair-called-off',
    'unpublished' => 'mayor-swims-in-town-fountain',
    'deleted' => 'pigeon-blamed-for-signal-failure',
    'scheduled' => 'new-ferry-timetable-begins',
];

function special_stories($pictures)
{
    return [...dated_stories(), ...shaped_stories($pictures), ...hidden_stories(), ...stories_to_work_on()];
}

function dated_stories()
{
    return [
        [   // the next day in London
            'title' => 'Night bus stranded by rising river at Skelby',
            'date' => '2024-07-20 00:30:00',
            'body' => paragraph('Twelve passengers were carried from a night bus after the river rose at Skelby ford.')
                . paragraph('All were taken to the Drovers Inn, where they were given tea.'),
        ],
        [   // the second half past one of the night the clocks went back
            'title' => 'Clockmaker kept awake as town hall strikes one, twice',
            'date' => '2024-10-27 01:30:00',
            'utc' => '2024-10-27 01:30:00',
            'body' => paragraph('The clock of Northwick town hall struck one for a second time as summer time ended.')
                . paragraph('Clockmaker Tomasz Bell said he had “not slept through it in thirty years”.'),
        ],
        [   // corrected since
            'title' => 'Swans return to Wendlebury boating lake',
            'date' => '2024-06-18 14:05:00',
            'modified' => '2024-07-19 10:32:00',
            'body' => paragraph('A pair of swans has returned to Wendlebury boating lake after six years.')
                . paragraph('The council has asked people not to feed them bread.'),
        ],
    ];
}

function shaped_stories($pictures)
{
    return [
        [
            'title' => 'Footbridge at Kirkdale reopens',
            'date' => '2024-05-02 12:00:00',
            'body' => paragraph('The footbridge at Kirkdale reopened to walkers at noon.'),
        ],
        [   // written in the old editor: no block markup, and a line with nothing but a no-break space
            'title' => 'Brass band’s van found empty in Oakhampton',
            'date' => '2024-03-11 08:20:00',
            'body' => "A van stolen from Oakhampton brass band has been found in a lay-by.\n\n&nbsp;\n\n"
                . "Its instruments, among them two tubas, are still missing.\n\n"
                . "Anyone offered a tuba is asked to call the police.",
        ],
        [   // straight quotes, dots and dashes as typed: WordPress sets them when it prints
            'title' => 'Baker\'s "unlucky" thirteenth loaf wins prize',
            'date' => '2024-04-09 17:45:00',
            'body' => paragraph('Judges at Thornhythe said the baker\'s loaf was "the best in show" -- by some distance.')
                . paragraph('"I nearly left it out... it was the thirteenth," she said.'),
        ],
        [
            'title' => 'Everything we know about the Penhallow landslip',
            'date' => '2024-08-14 19:10:00',
            'featured' => $pictures[2],
            'body' => heading('What happened') . paragraph('Part of the cliff at Penhallow fell at <em>low tide</em>.')
                . picture($pictures[0]) . bullets('Nobody was below', 'The coast path is closed', 'Dogs must be on leads')
                . quotation('Please keep well away from the edge.', 'Warden Bea Lund') . tweet() . video()
                . heading('What next') . paragraph('Geologists will <a href="https://example.invalid/s">survey it</a>.')
                . paragraph('The path may be moved inland.'),
        ],
    ];
}

function hidden_stories()
{
    $body = paragraph('Nobody outside the newsroom should be able to read this sentence.');
    return [
        ['title' => 'A draft nobody may see', 'status' => 'draft', 'body' => $body],
        ['title' => 'A private note to the desk', 'status' => 'private', 'date' => '2024-05-20 09:00:00', 'body' => $body],
        ['title' => 'An interview behind a password', 'password' => 'a test', 'date' => '2024-05-21 09:00:00', 'body' => $body],
        ['title' => 'A story for another decade', 'status' => 'future', 'date' => '2037-01-04 09:00:00', 'body' => $body],
        ['title' => 'A story trashed long ago', 'status' => 'trash', 'date' => '2024-05-22 09:00:00', 'body' => $body],
    ];
}

function stories_to_work_on()
{
    $stories = [
        'edited' => [
            'Crane stuck over ring road', '2024-09-02 07:15:00',
            'A crane jib came to rest above the ring road.', 'Its driver climbed down unaided.',
        ],
        'renamed' => [
            'Library roof to be mended', '2024-09-03 11:40:00',
            'The roof of Southmere library is to be mended.', 'Readers have brought buckets since March.',
        ],
        'moved' => [
            'Choir sings through blackout', '2024-09-04 21:05:00',
            'A choir in Castle Ashby sang on in the dark.', 'Nobody asked for their money back.',
        ],
        'trashed' => [
            'Fire at harbour arcade', '2024-09-05 03:10:00',
            'Crews were called to a fire at the harbour arcade.', 'Smoke could be seen from the far shore.',
        ],
        'guess' => [
            'Fire at harbour arcade declared out by crews', '2024-09-05 16:30:00',
            'The brigade has left the harbour after nine hours.', 'The penny falls were saved.',
        ],
        'replaced' => [
            'Harvest fair called off', '2024-09-05 18:20:00',
            'Heavy rain has put an end to the harvest fair.', 'Marrows will be judged by post.',
        ],
        'unpublished' => [
            'Mayor swims in town fountain', '2024-09-06 10:00:00',
            'The mayor took a dip for charity.', 'The town clerk held the chain.',
        ],
        'deleted' => [
            'Pigeon blamed for signal failure', '2024-09-07 06:50:00',
            'A pigeon nested in a signal box.', 'Both eggs are doing well.',
        ],
        'scheduled' => [
            'New ferry timetable begins', '2037-01-05 06:00:00',
            'The ferry now sails every twenty minutes.', 'The last boat leaves at midnight.',
        ],
    ];
    return array_map(fn($case, $story) => [
        'slug' => WORK[$case],
        'title' => $story[0],
        'date' => $story[1],
        'category' => 'breaking',
        'status' => $case === 'scheduled' ? 'future' : 'publish',
        'body' => paragraph($story[2]) . paragraph($story[3]),
    ], array_keys($stories), $stories);
}

function fresh_stories()
{
    return [
        ['title' => 'Otter seen beneath Northwick multi-storey', 'category' => 'uk-news',
            'body' => paragraph('An otter has been filmed beneath the multi-storey car park in Northwick.')
                . paragraph('Rangers believe it came up the culvert.')],
        ['title' => 'Tram drivers call off Friday strike', 'category' => 'travel',
            'body' => paragraph('Tram drivers have called off a strike planned for Friday.')
                . paragraph('Talks will continue next week.')],
        ['title' => 'Zebra crossing painted overnight “by persons unknown”', 'category' => 'crime',
            'body' => paragraph('A zebra crossing appeared on Church Hill overnight.')
                . paragraph('The council did not order it, and says it is rather well done.')],
    ];
}

/** Written anew instead of edited, under a slug that begins as the old one does. */
function replacement_story()
{
    return [
        'title' => 'Harvest fair called off, then on again',
        'category' => 'breaking',
        'body' => paragraph('The sun came out over the fairground.') . paragraph('Gates open tomorrow at ten.'),
    ];
}
