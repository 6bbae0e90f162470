"""WeChat Pay APIv3 as a direct merchant: what we send, and what we believe of what comes back.

`config` holds who we are, `gateway` calls the provider, `signatures` and `notification` decide whether a
message is the provider's, `records` whether what it says is about us. No Django, no database: the amount
is matched to the order by the caller. Production and the shipped sandbox differ only in `base_url`.
"""
