"""A `supabase/config.toml` with keys that the CLI refuses: dropped, of a later version, or of another major."""

REFUSED = """\
project_id = "old"
[inbucket]
enabled = true
port = 54324
[db]
major_version = 14
[auth.email.template.invite]
content_path = "../outside/invite.html"
[auth.external.twitter]
enabled = true
[of_a_later_version]
a = 1
"""
