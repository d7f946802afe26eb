"""Bodies as NanoGPT sends them, documented or feared; every id and key in them is made up."""

import json
from dataclasses import dataclass
from typing import Final

from bot.nanogpt.jsonvalue import Json

FAKE_KEY: Final = "sk-nano-fake-0000-1111-2222"
GUIDE_ID: Final = "11111111-1111-4111-8111-111111111111"
BARD_ID: Final = "22222222-2222-4222-8222-222222222222"
ODD_ID: Final = "33333333-3333-4333-8333-333333333333"
SITE: Final = "https://nano-gpt.example/api/v1"

GUIDE: Final[dict[str, Json]] = {
    "id": GUIDE_ID,
    "slug": "helpful-guide",
    "name": "Helpful Guide",
    "summary": "A concise assistant for technical writing",
    "description": "Helps plan, edit, and tighten technical docs.",
    "base_model_id": "deepseek-ai/DeepSeek-V3-0324",
    "first_message": "What are we editing today?",
    "visibility": "public",
    "moderation_status": "approved",
    "allow_api": True,
    "creator_content_rating": "sfw",
    "content_rating": "sfw",
    "tags": ["writing", "productivity"],
    "rating_avg": 4.8,
    "rating_count": 12,
}
CATALOGUE_PAGE: Final[dict[str, Json]] = {
    "object": "list",
    "data": [
        GUIDE,
        {
            "id": BARD_ID,
            "slug": "night-bard",
            "name": "Night Bard",
            "summary": None,
            "allow_api": False,
            "content_rating": "nsfw",
            "tags": [{"slug": "fantasy", "name": "Fantasy"}],
            "rating_avg": None,
            "rating_count": 0,
        },
        {
            "id": ODD_ID,
            "slug": "odd-one",
            "name": "Odd @everyone One",
            "summary": "unrated, unknown word",
            "content_rating": "mature",
            "tags": [],
        },
    ],
    "next_cursor": "eyJvIjozfQ",
}
MODELS_PAGE: Final[dict[str, Json]] = {
    "object": "list",
    "data": [
        {
            "id": GUIDE_ID,
            "object": "model",
            "created": 1760000000,
            "owned_by": "nanogpt",
            "character": {
                "character_id": GUIDE_ID,
                "slug": "helpful-guide",
                "base_model_id": "deepseek-ai/DeepSeek-V3-0324",
                "content_rating": "sfw",
                "tags": ["writing"],
                "rating_avg": 4.8,
                "rating_count": 12,
            },
        }
    ],
    "next_cursor": None,
}

COMPLETED: Final[dict[str, Json]] = {
    "id": "resp_abc123",
    "object": "response",
    "created_at": 1699000000,
    "completed_at": 1699000001,
    "model": "some/model",
    "status": "completed",
    "instructions": None,
    "previous_response_id": None,
    "tools": [],
    "truncation": "disabled",
    "store": True,
    "background": False,
    "output": [
        {
            "type": "message",
            "id": "msg_xyz789",
            "role": "assistant",
            "status": "completed",
            "content": [
                {
                    "type": "output_text",
                    "text": "The capital of France is Paris.",
                    "annotations": [],
                    "logprobs": [],
                }
            ],
        }
    ],
    "output_text": "The capital of France is Paris.",
    "usage": {
        "input_tokens": 15,
        "output_tokens": 10,
        "total_tokens": 25,
        "input_tokens_details": {"cached_tokens": 4},
        "output_tokens_details": {"reasoning_tokens": 3},
    },
    "metadata": {},
    "service_tier": "auto",
}
INCOMPLETE: Final[dict[str, Json]] = {
    "id": "resp_inc",
    "object": "response",
    "status": "incomplete",
    "incomplete_details": {"reason": "max_output_tokens"},
    "output": [
        {
            "type": "message",
            "role": "assistant",
            "status": "incomplete",
            "content": [{"type": "output_text", "text": "Once upon a"}],
        }
    ],
    "usage": {"input_tokens": 9, "output_tokens": 16, "total_tokens": 25},
}
FAILED: Final[dict[str, Json]] = {
    "id": "resp_fail",
    "object": "response",
    "status": "failed",
    "error": {"code": "server_error", "message": "upstream failed"},
    "output": [],
}
REFUSED: Final[dict[str, Json]] = {
    "id": "resp_ref",
    "object": "response",
    "status": "completed",
    "output": [
        {
            "type": "message",
            "role": "assistant",
            "content": [{"type": "refusal", "refusal": "I can't help with that."}],
        }
    ],
}
THOUGHTFUL: Final[dict[str, Json]] = {
    "id": "resp_think",
    "object": "response",
    "status": "completed",
    "output": [
        {
            "type": "reasoning",
            "id": "r1",
            "status": "completed",
            "summary": [],
            "content": [{"type": "reasoning_text", "text": "secret thoughts"}],
            "encrypted_content": None,
        },
        {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Hello."}]},
    ],
    "x_nanogpt_pricing": {
        "cost": 0.000169,
        "currency": "USD",
        "paymentSource": "USD",
        "inputTokens": 9,
        "outputTokens": 20,
    },
}
EMPTY: Final[dict[str, Json]] = {
    "id": "resp_empty",
    "object": "response",
    "status": "completed",
    "output": [],
    "output_text": "",
}
QUEUED: Final[dict[str, Json]] = {
    "id": "resp_bg",
    "object": "response",
    "created_at": 1699000000,
    "model": "m",
    "status": "queued",
    "output": [],
}


def message(text: str) -> dict[str, Json]:
    return {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": text}]}


def completed(*texts: str) -> dict[str, Json]:
    """Return the closing event of a reply made of one message per text."""
    return {
        "type": "response.completed",
        "response": {
            "id": "resp_s1",
            "status": "completed",
            "output": [message(text) for text in texts],
            "usage": {"input_tokens": 5, "output_tokens": 2, "total_tokens": 7},
        },
    }


def delta(text: str, *, item: int = 0, part: int = 0) -> dict[str, Json]:
    return {
        "type": "response.output_text.delta",
        "item_id": f"msg_{item}",
        "output_index": item,
        "content_index": part,
        "delta": text,
        "logprobs": [],
    }


CREATED: Final[dict[str, Json]] = {
    "type": "response.created",
    "response": {"id": "resp_s1", "status": "in_progress"},
}
DONE: Final = b"data: [DONE]\n\n"


def frame(event: dict[str, Json], *, end: bytes = b"\n", named: bool = False) -> bytes:
    name = b"event: " + str(event["type"]).encode() + end if named else b""
    return name + b"data: " + json.dumps(event, ensure_ascii=False).encode() + end + end


def stream(*events: dict[str, Json], end: bytes = b"\n", named: bool = False, done: bool = True) -> bytes:
    """Write events as NanoGPT streams them."""
    return b"".join(frame(event, end=end, named=named) for event in events) + (DONE if done else b"")


@dataclass(frozen=True, slots=True)
class Stream:
    """A stream and what it comes to: its text, and the name of its last event or what was wrong with it."""

    body: bytes
    text: str
    end: str


_HELLO: Final[tuple[dict[str, Json], ...]] = (
    CREATED,
    {"type": "response.in_progress", "response": {"id": "resp_s1"}, "sequence_number": 1},
    {"type": "response.output_item.added", "output_index": 0, "item": {"type": "message", "id": "msg_0"}},
    delta("Hel"),
    delta("lo"),
    {
        "type": "response.output_text.done",
        "item_id": "msg_0",
        "output_index": 0,
        "content_index": 0,
        "text": "Hello",
        "logprobs": [],
    },
    completed("Hello"),
)


def _thinking(kind: str) -> bytes:
    return stream(
        CREATED,
        {"type": f"response.{kind}.delta", "delta": "secret ", "output_index": 0},
        {"type": f"response.{kind}.done", "text": "secret thoughts", "output_index": 0},
        delta("Hi.", item=1),
        {
            "type": "response.completed",
            "response": {
                "id": "resp_s1",
                "output": [
                    {"type": "reasoning", "content": [{"type": "reasoning_text", "text": "secret thoughts"}]},
                    message("Hi."),
                ],
            },
        },
    )


STREAMS: Final[dict[str, Stream]] = {
    "as documented": Stream(stream(*_HELLO), "Hello", "Completed"),
    "as OpenAI sends it": Stream(stream(*_HELLO, named=True, done=False), "Hello", "Completed"),
    "CRLF": Stream(stream(*_HELLO, end=b"\r\n"), "Hello", "Completed"),
    "CR": Stream(stream(*_HELLO, end=b"\r"), "Hello", "Completed"),
    "keep-alive comments": Stream(
        b": keep-alive\n\n" + frame(CREATED) + b":\n\n: keep-alive\n" + stream(delta("Hello"), completed("Hello")),
        "Hello",
        "Completed",
    ),
    "id and retry fields": Stream(
        b"id: 1\nretry: 10\n" + frame(delta("Hello")) + stream(completed("Hello")), "Hello", "Completed"
    ),
    "byte order mark": Stream(b"\xef\xbb\xbf" + stream(*_HELLO), "Hello", "Completed"),
    "multibyte": Stream(
        stream(
            CREATED, delta("Gr\u00fc\u00df "), delta("\U0001f409\u2028!"), completed("Gr\u00fc\u00df \U0001f409\u2028!")
        ),
        "Gr\u00fc\u00df \U0001f409\u2028!",
        "Completed",
    ),
    "surrogates cut in two": Stream(
        b'data: {"type":"response.output_text.delta","delta":"a \\ud83d"}\n\n'
        b'data: {"type":"response.output_text.delta","delta":"\\udc09 b"}\n\n'
        b'data: {"type":"response.completed","response":{"id":"resp_s1"}}\n\n',
        "a \U0001f409 b",
        "Completed",
    ),
    "data over several lines": Stream(
        b'data: {"type": "response.output_text.delta",\ndata: "delta": "Hello"}\n\n' + stream(completed("Hello")),
        "Hello",
        "Completed",
    ),
    "type only in the event field": Stream(
        b'event: response.output_text.delta\ndata: {"delta": "Hello"}\n\n'
        b'event: response.completed\ndata: {"response": {"id": "resp_s1"}}\n\n',
        "Hello",
        "Completed",
    ),
    "NanoGPT reasoning": Stream(_thinking("reasoning"), "Hi.", "Completed"),
    "OpenAI reasoning": Stream(_thinking("reasoning_text"), "Hi.", "Completed"),
    "OpenAI reasoning summary": Stream(_thinking("reasoning_summary_text"), "Hi.", "Completed"),
    "leaked thoughts": Stream(
        stream(
            delta("<th"), delta("ink>secret</thi"), delta("nk>\n\nHello"), completed("<think>secret</think>\n\nHello")
        ),
        "Hello",
        "Completed",
    ),
    "refusal": Stream(
        stream(
            CREATED,
            {"type": "response.refusal.delta", "delta": "I can't ", "output_index": 0, "content_index": 0},
            {"type": "response.refusal.delta", "delta": "help.", "output_index": 0, "content_index": 0},
            {"type": "response.refusal.done", "refusal": "I can't help.", "output_index": 0, "content_index": 0},
            {
                "type": "response.completed",
                "response": {
                    "output": [{"type": "message", "content": [{"type": "refusal", "refusal": "I can't help."}]}]
                },
            },
        ),
        "I can't help.",
        "Completed",
    ),
    "two messages": Stream(
        stream(delta("One."), delta("Two.", item=1), delta(" More.", item=1), completed("One.", "Two. More.")),
        "One.\n\nTwo. More.",
        "Completed",
    ),
    "two parts of a message": Stream(
        stream(
            delta("One "),
            delta("two", part=1),
            {
                "type": "response.completed",
                "response": {
                    "output": [
                        {
                            "type": "message",
                            "content": [
                                {"type": "output_text", "text": "One "},
                                {"type": "output_text", "text": "two"},
                            ],
                        }
                    ]
                },
            },
        ),
        "One two",
        "Completed",
    ),
    "parts out of order": Stream(
        stream(delta("second", item=1), delta("first"), completed("first", "second")), "first\n\nsecond", "Completed"
    ),
    "corrected by the done event": Stream(
        stream(delta("Helo"), {"type": "response.output_text.done", "item_id": "msg_0", "text": "Hello"}, completed()),
        "Hello",
        "Completed",
    ),
    "corrected by the closing event": Stream(stream(delta("Helo"), completed("Hello")), "Hello", "Completed"),
    "continued by the closing event": Stream(stream(delta("Hel"), completed("Hello")), "Hello", "Completed"),
    "no deltas": Stream(stream(completed("Hello")), "Hello", "Completed"),
    "only finished parts": Stream(
        stream(
            {"type": "response.content_part.done", "item_id": "m", "part": {"type": "output_text", "text": "Hello"}},
            {
                "type": "response.output_item.done",
                "output_index": 0,
                "item": {"id": "m", "type": "message", "content": [{"type": "output_text", "text": "Hello"}]},
            },
            completed(),
        ),
        "Hello",
        "Completed",
    ),
    "unknown events": Stream(
        stream(
            {"type": "response.sparkle", "delta": "no"}, delta("Hello"), {"type": "response.queued"}, completed("Hello")
        ),
        "Hello",
        "Completed",
    ),
    "frames that are no JSON": Stream(
        b"data: oops\n\ndata: 7\n\n" + stream(delta("Hello"), completed("Hello")), "Hello", "Completed"
    ),
    "incomplete": Stream(
        stream(delta("Once"), {"type": "response.incomplete", "response": INCOMPLETE}), "Once upon a", "Incomplete"
    ),
    "failed": Stream(stream(CREATED, {"type": "response.failed", "response": FAILED}), "", "server_error"),
    "failed after text": Stream(
        stream(delta("Once"), {"type": "response.failed", "response": FAILED}), "Once", "server_error"
    ),
    "flat error": Stream(
        stream({"type": "error", "code": "server_error", "message": "no", "param": None}), "", "server_error"
    ),
    "nested error": Stream(
        stream(
            {"type": "error", "error": {"status": 503, "message": "no", "code": "service_unavailable"}},
        ),
        "",
        "service_unavailable",
    ),
    "chat-style error": Stream(
        b'data: {"error":{"status":503,"message":"no","code":"service_unavailable"}}\n\n' + DONE,
        "",
        "service_unavailable",
    ),
    "end in mid-text": Stream(stream(CREATED, delta("Hel"), done=False), "Hel", "cut"),
    "end in mid-frame": Stream(stream(CREATED, delta("Hel"), done=False) + frame(delta("lo"))[:-20], "Hel", "cut"),
    "done without a closing event": Stream(stream(CREATED, delta("Hel")), "Hel", "cut"),
    "no blank line at the end": Stream(
        stream(delta("Hello"), completed("Hello"), done=False)[:-2], "Hello", "Completed"
    ),
    "end before any data": Stream(b"", "", "cut"),
    "only comments": Stream(b": keep-alive\n\n: keep-alive\n\n", "", "cut"),
    "completed and empty": Stream(stream(CREATED, completed()), "", "empty_response"),
    "nothing but thoughts": Stream(stream(delta("<think>hm"), completed("<think>hm</think>")), "", "empty_response"),
}

ERRORS: Final[dict[str, dict[str, Json]]] = {
    "bad session": {"error": {"message": "Invalid session", "type": "authentication_error", "code": "invalid_api_key"}},
    "no key": {"error": {"message": "API key required", "type": "missing_api_key"}},
    "no balance": {"error": "Insufficient balance", "requiredBalance": 0.0035, "status": 402},
    "character closed": {
        "error": {"message": "Character is not available through the API", "type": "permission_denied_error"}
    },
    "model not included": {"error": {"message": "model not included in subscription", "code": "model_not_included"}},
    "no character": {"error": {"message": "Character not found", "type": "not_found_error"}},
    "no response": {"error": {"message": "Response not found", "code": "response_not_found"}},
    "model required": {
        "error": {
            "message": "model is required",
            "code": "missing_required_parameter",
            "param": "model",
            "type": "invalid_request_error",
        }
    },
    "too few tokens": {"error": {"message": "max_output_tokens must be at least 16", "type": "invalid_request_error"}},
    "short review": {
        "error": {
            "message": "review_text must be at least 10 characters",
            "type": "invalid_request_error",
            "param": "review_text",
        }
    },
    "moderated": {
        "error": {
            "message": "Your request was blocked by content moderation.",
            "type": "invalid_request_error",
            "code": "content_policy_violation",
        },
        "moderation": {"id": "modr_x", "results": [{"flagged": True}]},
    },
    "too long": {
        "error": {
            "message": "context too long",
            "type": "invalid_request_error",
            "code": "context_length_exceeded",
        }
    },
    "too fast": {
        "error": {"message": "Rate limit exceeded", "type": "rate_limit_error", "code": "rate_limit_exceeded"}
    },
    "daily cap": {
        "error": {
            "message": "Daily request limit exceeded (1000/1000). Resets at midnight UTC.",
            "code": "daily_rpd_limit_exceeded",
            "type": "rate_limit_error",
        }
    },
    "down": {
        "error": {
            "message": "Service temporarily unavailable",
            "status": 503,
            "type": "service_unavailable",
            "code": "all_fallbacks_failed",
        }
    },
    "reported": {"error": {"message": "already reported"}},
    "no streaming": {"error": {"message": "This model does not support streaming", "type": "invalid_request_error"}},
}
PAGE: Final = b"<html><body>Bad gateway</body></html>"
