-- What visitors send.

-- name: lead_create :write
insert into leads (site_id, id, name, email, phone, message, source, page_url, referrer, utm_source,
                   utm_medium, utm_campaign, ip_address)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13);
