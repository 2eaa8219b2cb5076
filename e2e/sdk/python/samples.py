"""Request bodies that several checks share."""

import copy

# Each of these must stay inside the server. The checks look for the text in every answer.
SECRETS = {
    "access_key": "SECRET-access-key",
    "secret": "SECRET-secret",
    "password": "SECRET-password",
    "private_key": "SECRET-private-key",
}

BUCKET = {"bucket": "recordings", "region": "eu-west-1", "path": "daily/"}
SFTP = {"type": "sftp", "host": "sftp.example.com", "port": 22, "username": "muster", "path": "in/"}

# What is sent in each case. What comes back is the same without the secrets.
STORAGE_CONFIGS = [
    {"type": "aws", **BUCKET, "access_key": SECRETS["access_key"], "secret": SECRETS["secret"]},
    {"type": "azure", **BUCKET, "access_key": SECRETS["access_key"], "secret": SECRETS["secret"]},
    {
        "type": "digitalocean",
        **BUCKET,
        "access_key": SECRETS["access_key"],
        "secret": SECRETS["secret"],
    },
    {"type": "gcs", **BUCKET, "secret": SECRETS["secret"]},
    {**SFTP, "auth_method": "PASSWORD", "password": SECRETS["password"]},
    {
        **SFTP,
        "auth_method": "KEY",
        "private_key": SECRETS["private_key"],
        "password": SECRETS["password"],
    },
]

RECORDING_CONFIG = {
    "max_seconds": 3600,
    "file_name_prefix": "weekly",
    "video_config": {
        "codec": "H264",
        "width": 1280,
        "height": 720,
        "export_file": True,
        "watermark": {
            "url": "https://example.com/logo.png",
            "position": "right bottom",
            "size": {"width": 64, "height": 32},
        },
    },
    "audio_config": {"codec": "AAC", "channel": "stereo", "export_file": False},
    "storage_config": STORAGE_CONFIGS[0],
    "realtimekit_bucket_config": {"enabled": True},
    "live_streaming_config": {"rtmp_url": "rtmp://live.example.com/app/key"},
}

AI_CONFIG = {
    "transcription": {"keywords": ["Muster"], "language": "de", "profanity_filter": True},
    "summarization": {
        "word_limit": 300,
        "text_format": "plain_text",
        "summary_type": "team_meeting",
    },
}

# A meeting in which no field has its default.
FULL_MEETING = {
    "title": "Weekly",
    "record_on_start": True,
    "live_stream_on_start": True,
    "persist_chat": True,
    "session_keep_alive_time_in_secs": 120,
    "transcribe_on_end": True,
    "summarize_on_end": True,
    "recording_config": RECORDING_CONFIG,
    "ai_config": AI_CONFIG,
}

MEETING_DEFAULTS = {
    "status": "ACTIVE",
    "record_on_start": False,
    "live_stream_on_start": False,
    "persist_chat": False,
    "session_keep_alive_time_in_secs": 60,
    "transcribe_on_end": False,
    "summarize_on_end": False,
}

PLUGIN_ID = "11111111-1111-4111-8111-111111111111"

# A preset in which every field of the contract is given.
PRESET = {
    "config": {
        "view_type": "WEBINAR",
        "max_video_streams": {"mobile": 3, "desktop": 9},
        "max_screenshare_count": 2,
        "livestream_viewer_qualities": [360, 720],
        "media": {
            "video": {"quality": "hd", "frame_rate": 24, "simulcast": True},
            "screenshare": {"quality": "fhd", "frame_rate": 10},
            "audio": {"enable_high_bitrate": True, "enable_stereo": True},
        },
    },
    "permissions": {
        "accept_stage_requests": True,
        "accept_waiting_requests": True,
        "can_accept_production_requests": True,
        "can_change_participant_permissions": False,
        "can_edit_display_name": False,
        "can_livestream": False,
        "can_record": True,
        "can_spotlight": True,
        "disable_participant_audio": True,
        "disable_participant_screensharing": False,
        "disable_participant_video": True,
        "hidden_participant": False,
        "is_recorder": False,
        "kick_participant": True,
        "pin_participant": False,
        "recorder_type": "NONE",
        "show_participant_list": True,
        "stage_access": "CAN_REQUEST",
        "stage_enabled": True,
        "transcription_enabled": True,
        "waiting_room_type": "ON_PRIVILEGED_USER_ENTRY",
        "media": {
            "audio": {"can_produce": "ALLOWED"},
            "video": {"can_produce": "CAN_REQUEST"},
            "screenshare": {"can_produce": "NOT_ALLOWED"},
        },
        "chat": {
            "public": {"can_send": True, "text": True, "files": False},
            "private": {"can_send": False, "can_receive": True, "text": True, "files": False},
        },
        "polls": {"can_create": True, "can_vote": False, "can_view": True},
        "plugins": {
            "can_close": True,
            "can_start": False,
            "can_edit_config": True,
            "config": {PLUGIN_ID: {"access_control": "VIEW_ONLY", "handles_view_only": True}},
        },
        "connected_meetings": {
            "can_alter_connected_meetings": True,
            "can_switch_connected_meetings": False,
            "can_switch_to_parent_meeting": True,
        },
    },
    "ui": {
        "design_tokens": {
            "border_radius": "circular",
            "border_width": "fat",
            "spacing_base": 8,
            "theme": "light",
            "font_family": "Inter",
            "google_font": "Inter",
            "logo": "https://example.com/logo.png",
            "colors": {
                "brand": {
                    "300": "#100000",
                    "400": "#200000",
                    "500": "#300000",
                    "600": "#400000",
                    "700": "#500000",
                },
                "background": {
                    "600": "#000100",
                    "700": "#000200",
                    "800": "#000300",
                    "900": "#000400",
                    "1000": "#000500",
                },
                "danger": "#000001",
                "success": "#000002",
                "text": "#000003",
                "text_on_brand": "#000004",
                "video_bg": "#000005",
                "warning": "#000006",
            },
        }
    },
}


def preset(**changes):
    return {**copy.deepcopy(PRESET), **changes}


def without_secrets(storage_config):
    return {key: value for key, value in storage_config.items() if key not in SECRETS}


def readable(recording_config):
    """A recording config as the server may answer it."""
    storage = without_secrets(recording_config["storage_config"])
    return {**recording_config, "storage_config": storage}
