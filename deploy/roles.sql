-- The two roles of the database: one owns the tables and migrates them, the other serves the site and can change
-- nothing of the history. As the database's administrator: psql -f roles.sql, then set both passwords by \password.
CREATE ROLE board_owner LOGIN;
CREATE ROLE board_site LOGIN;
CREATE DATABASE board OWNER board_owner;
REVOKE ALL ON DATABASE board FROM PUBLIC;
GRANT CONNECT ON DATABASE board TO board_site;
