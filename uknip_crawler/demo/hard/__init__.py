"""The sample site made hard: prose that repeats little, furniture among the story's own paragraphs, story that looks
like furniture, and layouts that keep stories in columns, boxes and bare `div`s."""
