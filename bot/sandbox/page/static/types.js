/**
 * The shapes of what the server sends, for the eyes of readers and type checkers: this module holds no code.
 *
 * Ids are strings; times are Unix milliseconds.
 *
 * @typedef {{id: string, name: string, role: string, hue: number, takes_dms: boolean}} Person
 *
 * @typedef {object} Channel
 * @property {string} id
 * @property {string} name
 * @property {string} topic
 * @property {"text" | "thread" | "dm"} kind
 * @property {number} type Discord's number for the kind
 * @property {string | null} parent
 * @property {boolean} nsfw
 * @property {boolean} may_write
 *
 * @typedef {{name: string, value: string | number}} Choice
 *
 * @typedef {object} CommandOption
 * @property {string} name
 * @property {string} description
 * @property {number} type
 * @property {boolean} required
 * @property {boolean} autocomplete
 * @property {Choice[]} choices
 * @property {number | null} [min_length]
 * @property {number | null} [max_length]
 * @property {number | null} [min_value]
 * @property {number | null} [max_value]
 *
 * @typedef {object} Command
 * @property {string} name
 * @property {string} words
 * @property {"chat" | "message" | "user"} kind
 * @property {string} description
 * @property {CommandOption[]} options
 *
 * @typedef {{users: Record<string, string>, roles: Record<string, string>, channels: Record<string, string>}} Names
 *
 * @typedef {"up" | "starting" | "down"} BotState
 *
 * @typedef {object} Levers
 * @property {BotState} bot
 * @property {string[]} faults
 * @property {number} tokens_per_second
 * @property {{name: string, label: string}[]} faults_offered
 *
 * @typedef {{id: string, usd: number, nano: number, subscribed: boolean, may_review: boolean, keys: string[]}} DeskAccount
 * @typedef {{id: string, name: string, slug: string, owner: string | null, summary: string | null,
 *   first_message: string | null, rating: string | null}} DeskCharacter
 * @typedef {{character: string, account: string, rating: number, text: string | null}} DeskReview
 * @typedef {{accounts: DeskAccount[], waiting: DeskCharacter[], reviews: DeskReview[]}} Desk
 *
 * @typedef {{id: string, name: string, bot: boolean, webhook: boolean, hue: number, initial: string}} Author
 *
 * @typedef {object} Embed
 * @property {string | null} title
 * @property {string | null} url
 * @property {string | null} description
 * @property {number | null} color
 * @property {{name: string, value: string, inline: boolean}[]} fields
 * @property {string | null} footer
 * @property {string | null} author
 * @property {boolean} thumbnail
 * @property {boolean} image
 * @property {boolean} link
 *
 * @typedef {{label: string, value: string, description?: string | null, default?: boolean,
 *   emoji?: {name?: string} | null}} ComponentOption
 *
 * @typedef {object} Component
 * @property {number} type
 * @property {number} [id]
 * @property {string} [custom_id]
 * @property {string} [label]
 * @property {string} [description]
 * @property {number} [style]
 * @property {string} [url]
 * @property {{name?: string} | null} [emoji]
 * @property {boolean} [disabled]
 * @property {string} [placeholder]
 * @property {ComponentOption[]} [options]
 * @property {{id: string}[]} [default_values]
 * @property {number[]} [channel_types]
 * @property {number} [min_values]
 * @property {number} [max_values]
 * @property {number} [min_length]
 * @property {number} [max_length]
 * @property {boolean} [required]
 * @property {string | boolean | null} [value]
 * @property {boolean} [default]
 * @property {string} [content]
 * @property {Component[]} [components]
 * @property {Component} [component]
 * @property {Component} [accessory]
 * @property {{media?: {url?: string}, description?: string | null, spoiler?: boolean}[]} [items]
 * @property {{url?: string}} [media]
 * @property {{url?: string}} [file]
 * @property {string} [name]
 * @property {number | null} [accent_color]
 * @property {boolean} [spoiler]
 * @property {boolean} [divider]
 * @property {number} [spacing]
 *
 * @typedef {{id: string, name: string, size: number, type: string}} Attachment
 *
 * @typedef {object} Message
 * @property {string} id
 * @property {string} channel
 * @property {number} at
 * @property {number | null} edited
 * @property {Author} author
 * @property {string} content
 * @property {"default" | "reply" | "command" | "context_menu" | "system"} kind
 * @property {{id: string, author: string, text: string, gone: boolean} | null} reply
 * @property {{user: string, name: string | null} | null} origin
 * @property {boolean} only_you
 * @property {boolean} loading
 * @property {boolean} v2
 * @property {Embed[]} embeds
 * @property {Component[]} components
 * @property {Attachment[]} attachments
 * @property {{edit: boolean, delete: boolean, reply: boolean}} may
 *
 * @typedef {{form: string, title: string, components: Component[]}} Form
 *
 * @typedef {"message" | "deferred" | "deferred_update" | "update" | "modal" | "failed"} ResultKind
 * @typedef {{kind: ResultKind, modal: Form | null}} Result
 *
 * @typedef {object} Answer
 * @property {boolean} ok
 * @property {string} [sentence]
 * @property {Message[]} [messages]
 * @property {boolean} [more]
 * @property {Choice[]} [choices]
 * @property {boolean} [failed]
 * @property {Result} [result]
 *
 * @typedef {(verb: string, fields?: Record<string, unknown>) => Promise<Answer>} Ask
 *
 * @typedef {{n: number, at: number, method: string, route: string, status: number | null, ms: number | null,
 *   summary: string}} RestEntry
 * @typedef {{n: number, at: number, to: "bot" | "discord", name: string, summary: string}} GatewayEntry
 * @typedef {{n: number, at: number, method: string, path: string, status: number | null, outcome: string | null,
 *   character_id: string | null, items: {role: string, text: string}[], store: boolean | null, stream: boolean | null,
 *   ms: number | null}} UpstreamEntry
 * @typedef {{n: number, at: number, level: string, text: string}} LogEntry
 * @typedef {{rest?: RestEntry[], gateway?: GatewayEntry[], upstream?: UpstreamEntry[], log?: LogEntry[]}} PanelFrame
 */

export {};
