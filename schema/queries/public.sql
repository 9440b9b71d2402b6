-- Leads that visitors send.

-- name: lead_create :write
-- params: site uuid, id uuid, name text?, email text, phone text?, message text?, source text,
--         page_url text?, referrer text?, utm_source text?, utm_medium text?, utm_campaign text?, ip text?
insert into leads (site_id, id, name, email, phone, message, source, page_url, referrer, utm_source,
                   utm_medium, utm_campaign, ip_address)
values (:site, :id, :name, :email, :phone, :message, :source, :page_url, :referrer, :utm_source, :utm_medium,
        :utm_campaign, :ip);
