"""The languages of dubbing (AI Studios v3 contract, translatevideos)."""

DUBBING = (
    *("en-US", "hi-IN", "pt-PT", "zh-CN", "es-ES", "fr-FR", "de-DE", "ja-JP", "ar-SA", "ru-RU"),
    *("ko-KR", "id-ID", "it-IT", "nl-NL", "tr-TR", "pl-PL", "sv-SE", "fil-PH", "ms-MY", "ro-RO"),
    *("uk-UA", "el-GR", "cs-CZ", "da-DK", "fi-FI", "bg-BG", "hr-HR", "sk-SK", "ta-IN", "vi-VN"),
)
