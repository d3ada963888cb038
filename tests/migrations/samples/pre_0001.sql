BEGIN TRANSACTION;
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('pre_0001');
CREATE TABLE checkpoint (
	revision INTEGER NOT NULL, 
	chain TEXT NOT NULL, 
	state TEXT NOT NULL, 
	digest TEXT NOT NULL, 
	PRIMARY KEY (revision)
);
INSERT INTO "checkpoint" VALUES(26,'6f73f5e3983d501125a783b47d1536e302951a1828348fe59285dab5f70bdf9b','{"control_revision":26,"emergencies":[["E-24","graceful",[{"site":"s1"}],["stop-1"],"2026-11-22T14:00:00.000000Z","ana","","c-6","active",null,""]],"fleet":"f-0123456789ab","format":1,"holds":[{"admit":0.0,"correlation_id":"c-3","expires_at":null,"hold_id":"H-20","mode":"drain","overdue":false,"owner":"ana","placed_at":"2026-11-22T14:00:00.000000Z","reason":"\u00e8\u6f22\u0000","revision":20,"selector":{"site":"s1"},"source":"operator"},{"admit":0.0,"correlation_id":"c-3","expires_at":null,"hold_id":"H-21","mode":"drain","overdue":false,"owner":"ana","placed_at":"2026-11-22T14:00:00.000000Z","reason":"\u00e8\u6f22\u0000","revision":21,"selector":{"site":"s2"},"source":"operator"},{"admit":0.0,"correlation_id":"c-4","expires_at":null,"hold_id":"H-22","mode":"drain","overdue":false,"owner":"ab_testing","placed_at":"2026-11-22T14:00:00.000000Z","reason":"","revision":22,"selector":{"operation":"ab_testing"},"source":"flag"},{"admit":0.0,"correlation_id":"c-6","expires_at":null,"hold_id":"H-25","mode":"drain","overdue":false,"owner":"E-24","placed_at":"2026-11-22T14:00:00.000000Z","reason":"","revision":25,"selector":{"site":"s1"},"source":"emergency"}],"limits":[["content_pages",100,3600.0,"content_generation","maxContentPagesPerHour","2026-11-22T14:00:00.000000Z","runtime"],["gsc_requests",200,3600.0,"gsc_verification","maxGSCRequestsPerHour","2026-11-22T14:00:00.000000Z","runtime"],["opportunity_scans",50,86400.0,"opportunity_scan","maxOpportunityScansPerDay","2026-11-22T14:00:00.000000Z","runtime"],["sites",0,3600.0,"site_creation","maxSitesPerHour","2026-11-22T14:00:00.000000Z","ana"]],"names":[["operation","ab_testing","","2026-11-22T14:00:00.000000Z","2026-11-22T14:00:00.000000Z","ana"],["operation","content_generation","","2026-11-22T14:00:00.000000Z","2026-11-22T14:00:00.000000Z","runtime"],["operation","content_optimization","","2026-11-22T14:00:00.000000Z","2026-11-22T14:00:00.000000Z","runtime"],["operation","gsc_verification","","2026-11-22T14:00:00.000000Z","2026-11-22T14:00:00.000000Z","runtime"],["operation","opportunity_scan","","2026-11-22T14:00:00.000000Z","2026-11-22T14:00:00.000000Z","runtime"],["operation","site_creation","","2026-11-22T14:00:00.000000Z","2026-11-22T14:00:00.000000Z","runtime"],["site","s1","","2026-11-22T14:00:00.000000Z","2026-11-22T14:00:00.000000Z","ana"],["site","s2","Zweite Seite","2026-11-22T14:00:00.000000Z","2026-11-22T14:00:00.000000Z","ana"],["workflow","manual-order-sync","","2026-11-22T14:00:00.000000Z","2026-11-22T14:00:00.000000Z","runtime"],["workflow","orders-cleanup","","2026-11-22T14:00:00.000000Z","2026-11-22T14:00:00.000000Z","runtime"],["workflow","shipstation-upload","","2026-11-22T14:00:00.000000Z","2026-11-22T14:00:00.000000Z","runtime"],["workflow","status-sync","","2026-11-22T14:00:00.000000Z","2026-11-22T14:00:00.000000Z","runtime"],["workflow","weekly-reporter","","2026-11-22T14:00:00.000000Z","2026-11-22T14:00:00.000000Z","runtime"],["workflow","xml-import","","2026-11-22T14:00:00.000000Z","2026-11-22T14:00:00.000000Z","runtime"]],"names_revision":19,"revision":26,"stops":[["stop-1","E-24","graceful",[{"site":"s1"}],["H-25"],["w1","w2"],"2026-11-22T14:00:00.000000Z","ana","2026-11-22T14:01:00.000000Z","","pending",[],null]],"workers":[]}','f69ce0eeacfe03ab1e2d4614bfa5e4eb21adc6a326392157dcd3405e57431b7c');
CREATE TABLE gate_head (
	id INTEGER NOT NULL, 
	format INTEGER NOT NULL, 
	fleet TEXT NOT NULL, 
	revision INTEGER NOT NULL, 
	chain TEXT NOT NULL, 
	names_revision INTEGER NOT NULL, 
	written_at TEXT NOT NULL, 
	PRIMARY KEY (id), 
	CONSTRAINT one_head CHECK (id = 1)
);
INSERT INTO "gate_head" VALUES(1,1,'f-0123456789ab',35,'96e38fbe5589254845596e4efeb73a42fa0bec38a711230784bbcb0b07d47d16',34,'2026-11-22T14:00:00.000000Z');
CREATE TABLE gate_hold (
	hold_id TEXT NOT NULL, 
	document TEXT NOT NULL, 
	PRIMARY KEY (hold_id)
);
INSERT INTO "gate_hold" VALUES('H-20','{"hold_id":"H-20","source":"operator","owner":"ana","selector":{"site":"s1"},"mode":"drain","reason":"\u00e8\u6f22\u0000","placed_at":"2026-11-22T14:00:00.000000Z","expires_at":null,"admit":0.0,"correlation_id":"c-3","revision":20,"overdue":false}');
INSERT INTO "gate_hold" VALUES('H-22','{"hold_id":"H-22","source":"flag","owner":"ab_testing","selector":{"operation":"ab_testing"},"mode":"drain","reason":"","placed_at":"2026-11-22T14:00:00.000000Z","expires_at":null,"admit":0.0,"correlation_id":"c-4","revision":22,"overdue":false}');
INSERT INTO "gate_hold" VALUES('H-25','{"hold_id":"H-25","source":"emergency","owner":"E-24","selector":{"site":"s1"},"mode":"halt","reason":"","placed_at":"2026-11-22T14:00:00.000000Z","expires_at":null,"admit":0.0,"correlation_id":"c-6","revision":30,"overdue":false}');
INSERT INTO "gate_hold" VALUES('H-28','{"hold_id":"H-28","source":"emergency","owner":"E-24","selector":{},"mode":"halt","reason":"smoke in the hall","placed_at":"2026-11-22T14:00:00.000000Z","expires_at":null,"admit":0.0,"correlation_id":"c-6","revision":32,"overdue":false}');
CREATE TABLE gate_name (
	dimension TEXT NOT NULL, 
	name TEXT NOT NULL, 
	PRIMARY KEY (dimension, name)
);
INSERT INTO "gate_name" VALUES('operation','ab_testing');
INSERT INTO "gate_name" VALUES('operation','content_generation');
INSERT INTO "gate_name" VALUES('operation','content_optimization');
INSERT INTO "gate_name" VALUES('operation','gsc_verification');
INSERT INTO "gate_name" VALUES('operation','opportunity_scan');
INSERT INTO "gate_name" VALUES('operation','site_creation');
INSERT INTO "gate_name" VALUES('workflow','manual-order-sync');
INSERT INTO "gate_name" VALUES('workflow','orders-cleanup');
INSERT INTO "gate_name" VALUES('workflow','shipstation-upload');
INSERT INTO "gate_name" VALUES('workflow','status-sync');
INSERT INTO "gate_name" VALUES('workflow','weekly-reporter');
INSERT INTO "gate_name" VALUES('workflow','xml-import');
INSERT INTO "gate_name" VALUES('site','s1');
CREATE TABLE gate_stop (
	stop_id TEXT NOT NULL, 
	emergency_id TEXT NOT NULL, 
	level TEXT NOT NULL, 
	result TEXT NOT NULL, 
	document TEXT NOT NULL, 
	PRIMARY KEY (stop_id)
);
INSERT INTO "gate_stop" VALUES('stop-1','E-24','immediate','pending','{"selectors":[{"site":"s1"}],"ordered_at":"2026-11-22T14:00:00.000000Z","deadline_at":"2026-11-22T14:00:05.000000Z","of":["w1","w2"],"reason":"","ordered_by":"ana"}');
INSERT INTO "gate_stop" VALUES('stop-2','E-24','immediate','pending','{"selectors":[{}],"ordered_at":"2026-11-22T14:00:00.000000Z","deadline_at":"2026-11-22T14:00:05.000000Z","of":["w1","w2"],"reason":"smoke in the hall","ordered_by":"ana"}');
CREATE TABLE journal (
	revision INTEGER NOT NULL, 
	kind TEXT NOT NULL, 
	version INTEGER NOT NULL, 
	at TEXT NOT NULL, 
	correlation_id TEXT NOT NULL, 
	command_id TEXT NOT NULL, 
	salt TEXT NOT NULL, 
	body TEXT NOT NULL, 
	digest TEXT NOT NULL, 
	chain TEXT NOT NULL, 
	PRIMARY KEY (revision)
);
INSERT INTO "journal" VALUES(1,'fleet.created',1,'2026-11-22T14:00:00.000000Z','runtime-7d61ab984ead455a81621b5cd4441f1f','runtime-7d61ab984ead455a81621b5cd4441f1f','a89291400497cccc09045430919e6f2b','{"actor":{"kind":"system","name":"runtime"},"data":{"fleet":"f-0123456789ab"},"door":"keeper"}','2215640a9faf64cc8b4cfc1ee7fddbbe470005622695d6f53dcba7e7625a1797','e12a8699a8cf59a6d03764ca79874700e7482b6ad9a83852f907eef5ae889b8f');
INSERT INTO "journal" VALUES(2,'name.added',1,'2026-11-22T14:00:00.000000Z','runtime-7d61ab984ead455a81621b5cd4441f1f','runtime-7d61ab984ead455a81621b5cd4441f1f','010a5180e004b5291ba2fed4c8c44f14','{"actor":{"kind":"system","name":"runtime"},"data":{"dimension":"operation","name":"site_creation","title":""},"door":"keeper"}','d6f1ffe41e39b73118c8ca686557d775745b50f479a3f64f092afe249ff6f5ca','18c763a9f7c761c2dc8b8b6d9dff5dd4e01a9f53ed623fc2f294097a340c7ef5');
INSERT INTO "journal" VALUES(3,'name.added',1,'2026-11-22T14:00:00.000000Z','runtime-7d61ab984ead455a81621b5cd4441f1f','runtime-7d61ab984ead455a81621b5cd4441f1f','faca4694f1eedbd090fce2a14bdb5b07','{"actor":{"kind":"system","name":"runtime"},"data":{"dimension":"operation","name":"content_generation","title":""},"door":"keeper"}','4b7d7e19d9d2c61053ac1acd77706463a8d25f2269a34117e48ccb08f3c96c2d','d44e15d4f36c0d929f324021b1a872bbad1fa51b19f0712cf3548cded6b45bd8');
INSERT INTO "journal" VALUES(4,'name.added',1,'2026-11-22T14:00:00.000000Z','runtime-7d61ab984ead455a81621b5cd4441f1f','runtime-7d61ab984ead455a81621b5cd4441f1f','2ad473f727f4172c3caa5a2e6c699132','{"actor":{"kind":"system","name":"runtime"},"data":{"dimension":"operation","name":"gsc_verification","title":""},"door":"keeper"}','3e018b649f25d85788ada3532f452c8917f0c9c59c9f5e1bee4005a04b6d96dd','f13b64f4b92136d5131e02356dea6c66fbb028045e12edb4834a4102c62d2505');
INSERT INTO "journal" VALUES(5,'name.added',1,'2026-11-22T14:00:00.000000Z','runtime-7d61ab984ead455a81621b5cd4441f1f','runtime-7d61ab984ead455a81621b5cd4441f1f','09f4f13c29b15f2ea7d295fc5b5c98fc','{"actor":{"kind":"system","name":"runtime"},"data":{"dimension":"operation","name":"content_optimization","title":""},"door":"keeper"}','8b5bf28d120dbddad92908a85969e45781fa6ed670fc7fc8feaec2ac64d47920','622b13307ff75f498c46de4977703a2899f696ee473fbe14e597486dba2f4a48');
INSERT INTO "journal" VALUES(6,'name.added',1,'2026-11-22T14:00:00.000000Z','runtime-7d61ab984ead455a81621b5cd4441f1f','runtime-7d61ab984ead455a81621b5cd4441f1f','0588050462bdef3f750eaca6ea9bbfde','{"actor":{"kind":"system","name":"runtime"},"data":{"dimension":"operation","name":"ab_testing","title":""},"door":"keeper"}','7cbe9ca1845a2cec9f71904865078ccb8aa29ae591acb4bb0eeda4b61f9d7085','8a03d15aaae184e15745fd28b86b2a7ae2d4d37a7b528a4aa33319b22289a8e7');
INSERT INTO "journal" VALUES(7,'name.added',1,'2026-11-22T14:00:00.000000Z','runtime-7d61ab984ead455a81621b5cd4441f1f','runtime-7d61ab984ead455a81621b5cd4441f1f','69a1b674c60b2b948016cb14ef5a85b9','{"actor":{"kind":"system","name":"runtime"},"data":{"dimension":"operation","name":"opportunity_scan","title":""},"door":"keeper"}','57b14757e1e0f0312ef1300031299126b4b64691c3e2336ece0cf61e8ad3b171','a6d04a4954b296b4fa127facf345c08a8140a76b6a64dfb0668d4744bc5d9f69');
INSERT INTO "journal" VALUES(8,'name.added',1,'2026-11-22T14:00:00.000000Z','runtime-7d61ab984ead455a81621b5cd4441f1f','runtime-7d61ab984ead455a81621b5cd4441f1f','468319484bf8c9a23e13abae93131e8b','{"actor":{"kind":"system","name":"runtime"},"data":{"dimension":"workflow","name":"xml-import","title":""},"door":"keeper"}','8d493ffb163494e4acbebec1815cf88462916728d48859f6cdb6320786cc1733','c72abb34650a01faa801d58f130c76b4602307bf698075d2fa2ddb29f5c5c7b4');
INSERT INTO "journal" VALUES(9,'name.added',1,'2026-11-22T14:00:00.000000Z','runtime-7d61ab984ead455a81621b5cd4441f1f','runtime-7d61ab984ead455a81621b5cd4441f1f','6f3b19edc9bc161e905213908e39eb62','{"actor":{"kind":"system","name":"runtime"},"data":{"dimension":"workflow","name":"shipstation-upload","title":""},"door":"keeper"}','ce80ad513e6509ea40f526cbab4755812ecc4309114f24724f79184f58e2dea3','fc12cc49a4a2ebafa22c8d0cd22329cc720071e067260ce81e9a7c63d5d02b56');
INSERT INTO "journal" VALUES(10,'name.added',1,'2026-11-22T14:00:00.000000Z','runtime-7d61ab984ead455a81621b5cd4441f1f','runtime-7d61ab984ead455a81621b5cd4441f1f','54d4e704207873f3e2e1c7b79de86c42','{"actor":{"kind":"system","name":"runtime"},"data":{"dimension":"workflow","name":"status-sync","title":""},"door":"keeper"}','d7bb9de8f1f26e396813766682a53e6dc7da5f06178396d4492b0c2546d556b2','a8c25421d740ec7eb9c85990e4150020a19588b62e7bfd011f3cefe75d66f11c');
INSERT INTO "journal" VALUES(11,'name.added',1,'2026-11-22T14:00:00.000000Z','runtime-7d61ab984ead455a81621b5cd4441f1f','runtime-7d61ab984ead455a81621b5cd4441f1f','2fb9f4208220af9fa7d94849b45d9470','{"actor":{"kind":"system","name":"runtime"},"data":{"dimension":"workflow","name":"manual-order-sync","title":""},"door":"keeper"}','ef7658775bd41636e6d13d724e642f3da1432ce31bedf92d84e8d5e72de371fb','311a2e5a22c6f0ffbdc6067c17747c46e6cda35d83b1760a192ba7d916fa5e9e');
INSERT INTO "journal" VALUES(12,'name.added',1,'2026-11-22T14:00:00.000000Z','runtime-7d61ab984ead455a81621b5cd4441f1f','runtime-7d61ab984ead455a81621b5cd4441f1f','1ddb87b4ee1233e734b99576d294aceb','{"actor":{"kind":"system","name":"runtime"},"data":{"dimension":"workflow","name":"orders-cleanup","title":""},"door":"keeper"}','02b3b07f8b62bb89ff31fb7456d492228abb73a3222c8fde6c782e451efe3e6b','d8d98aff378e72a678d181a17cc6c9445ca2a021c4820f5052a8b684766eeef9');
INSERT INTO "journal" VALUES(13,'name.added',1,'2026-11-22T14:00:00.000000Z','runtime-7d61ab984ead455a81621b5cd4441f1f','runtime-7d61ab984ead455a81621b5cd4441f1f','0a0b7afc29d682362fac3bf5f2e5e74e','{"actor":{"kind":"system","name":"runtime"},"data":{"dimension":"workflow","name":"weekly-reporter","title":""},"door":"keeper"}','ad1db31f53ff55194f19587929f165ffe484e4474ea3edf883fb459bdf469622','6a8543132cab2976f0b66e5328a2170c8bc1326f3f53c0805b596f2ce6198882');
INSERT INTO "journal" VALUES(14,'limit.defined',1,'2026-11-22T14:00:00.000000Z','runtime-7d61ab984ead455a81621b5cd4441f1f','runtime-7d61ab984ead455a81621b5cd4441f1f','83adf6a670c28c467b1a75375f741431','{"actor":{"kind":"system","name":"runtime"},"data":{"alias":"maxSitesPerHour","limit":10,"name":"sites","operation":"site_creation","window_s":3600.0},"door":"keeper"}','a976513981b0b0d1c74342b3eaaf93f347caa4deabdca5f9c9a34a7001cd9b82','d5f666a1f68aa790e1c58591a9963745a8b7cf5d0efa544b1ab270639ad610b0');
INSERT INTO "journal" VALUES(15,'limit.defined',1,'2026-11-22T14:00:00.000000Z','runtime-7d61ab984ead455a81621b5cd4441f1f','runtime-7d61ab984ead455a81621b5cd4441f1f','6dc4f676eba737fd45fe8d1b44d39e66','{"actor":{"kind":"system","name":"runtime"},"data":{"alias":"maxContentPagesPerHour","limit":100,"name":"content_pages","operation":"content_generation","window_s":3600.0},"door":"keeper"}','1528d29d15eedd74db99428c93af416316167c8c9edce3a1f6176b0c38b811e4','52a93415a05fb21f728c74cc2e2c8219bf2b10d52495f27bcc400b28a2725c30');
INSERT INTO "journal" VALUES(16,'limit.defined',1,'2026-11-22T14:00:00.000000Z','runtime-7d61ab984ead455a81621b5cd4441f1f','runtime-7d61ab984ead455a81621b5cd4441f1f','99d2aa78fbb8551b5d0232018dab3728','{"actor":{"kind":"system","name":"runtime"},"data":{"alias":"maxGSCRequestsPerHour","limit":200,"name":"gsc_requests","operation":"gsc_verification","window_s":3600.0},"door":"keeper"}','0a9b2bfd3f157672af698a419f52df8397d0b1ba5bf182c3f4c9c177fdb99b90','0a32034aa77f4d5b4b402946db910d7aac01b82768d9f2ec765b5c8e33652526');
INSERT INTO "journal" VALUES(17,'limit.defined',1,'2026-11-22T14:00:00.000000Z','runtime-7d61ab984ead455a81621b5cd4441f1f','runtime-7d61ab984ead455a81621b5cd4441f1f','4a28088ef31f7939a806d4f9020a7907','{"actor":{"kind":"system","name":"runtime"},"data":{"alias":"maxOpportunityScansPerDay","limit":50,"name":"opportunity_scans","operation":"opportunity_scan","window_s":86400.0},"door":"keeper"}','3b76520785b29bcd8f2a605e1bf229d89168ebb662382ea633085e56fa872c6c','537267a2193ccb9b822a3bf0c451b99a934bada4b915215a012ea01c5cd3a3f3');
INSERT INTO "journal" VALUES(18,'name.added',1,'2026-11-22T14:00:00.000000Z','c-1','c-1','9385497e78751b6db8962784505effd0','{"actor":{"kind":"person","name":"ana"},"data":{"dimension":"site","name":"s1","title":""},"door":"test"}','b014e852817c200ba58ad8446314b33e33f1dc4cbee32b3003178d9dec30553a','676b5c7dfbcc5ab2e5848a21d7fb939fa04fd280043ce99d8b9bb35fbb561f40');
INSERT INTO "journal" VALUES(19,'name.added',1,'2026-11-22T14:00:00.000000Z','c-2','c-2','5c03d77cf6567f45feda371711cef5c2','{"actor":{"kind":"person","name":"ana"},"data":{"dimension":"site","name":"s2","title":"Zweite Seite"},"door":"test"}','82c54844fcb0e64f2f7a40d43a614efc2a78ecb553085d798e3cac9d5fef5a35','a514c8f1f9672e433389196539f39b836b853698bf6d4b9bc2deb057044331e1');
INSERT INTO "journal" VALUES(20,'hold.placed',1,'2026-11-22T14:00:00.000000Z','c-3','c-3','bb08b938d6eff6084c117b8c80f0ef26','{"actor":{"kind":"person","name":"ana"},"data":{"admit":0.0,"expires_at":null,"hold_id":"H-20","mode":"drain","owner":"ana","reason":"\u00e8\u6f22\u0000","selector":{"site":"s1"},"source":"operator"},"door":"test"}','0a9d469b2d15b145f555654934ca75acc76c05dee136bb30ef33b507f69c09f2','17580d3662e4342b05ff674560d4d5ac7180e3542b73e60aa0e33358fba904aa');
INSERT INTO "journal" VALUES(21,'hold.placed',1,'2026-11-22T14:00:00.000000Z','c-3','c-3','6f3375ad131a63e2b9161c844fe247e7','{"actor":{"kind":"person","name":"ana"},"data":{"admit":0.0,"expires_at":null,"hold_id":"H-21","mode":"drain","owner":"ana","reason":"\u00e8\u6f22\u0000","selector":{"site":"s2"},"source":"operator"},"door":"test"}','1ba1ce4caf59fc15d2a042bf871154c3a97d683cf1022f687ceeecd72ee8bead','5a928899c12754f10810a6738c529b83f33876b55a890557a4b406a4ddb67eaf');
INSERT INTO "journal" VALUES(22,'hold.placed',1,'2026-11-22T14:00:00.000000Z','c-4','c-4','dd1a066e200449b67367973ae95abf9e','{"actor":{"kind":"person","name":"ana"},"data":{"admit":0.0,"expires_at":null,"hold_id":"H-22","mode":"drain","owner":"ab_testing","reason":"","selector":{"operation":"ab_testing"},"source":"flag"},"door":"test"}','7a0f33ecb1a4628abbee63d974cf7c80c8614d5eaaad7f5a1b72429903f4f460','2fc424a60e880018b3fac299713cb44b96595b6be055449740ab9560d83d78ee');
INSERT INTO "journal" VALUES(23,'limit.changed',1,'2026-11-22T14:00:00.000000Z','c-5','c-5','248e391791ad012ba495472a6cba0b6b','{"actor":{"kind":"person","name":"ana"},"data":{"limit":0,"name":"sites","operation":"site_creation","window_s":3600.0},"door":"test"}','89ea73464f8686de0f2d73fcbf8f2eb298f4ce6f3b7888b40bc2de7a63890e8e','1295390c7336733230f7a362bb8b687441308c5e70db6ad85d51406a3dc8beca');
INSERT INTO "journal" VALUES(24,'emergency.opened',1,'2026-11-22T14:00:00.000000Z','c-6','c-6','5dce441543a8e9c8e0e8e91707b8a185','{"actor":{"kind":"person","name":"ana"},"data":{"emergency_id":"E-24","level":"graceful","reason":"","selectors":[{"site":"s1"}]},"door":"test"}','595e6821e3d73a7b105ddf88ef572eed0d607a370eb8901b21d43ba4fc4147bf','261d17d81c24f9d82a0635a03e6c2a8311ed49d8470edeea7181077181670b74');
INSERT INTO "journal" VALUES(25,'hold.placed',1,'2026-11-22T14:00:00.000000Z','c-6','c-6','7b93f916c671868b96880e1d2a92697f','{"actor":{"kind":"person","name":"ana"},"data":{"admit":0.0,"expires_at":null,"hold_id":"H-25","mode":"drain","owner":"E-24","reason":"","selector":{"site":"s1"},"source":"emergency"},"door":"test"}','531d4f59d39fff0fdccdfbd994f895a9344fff8a5178713d5da90417d8e178eb','da555862451b8f508fe1936b0b34fc5de75cffaac044b56548a903195b63b1e1');
INSERT INTO "journal" VALUES(26,'stop.ordered',1,'2026-11-22T14:00:00.000000Z','c-6','c-6','3a87f77c2da55e5144eea07565907f21','{"actor":{"kind":"person","name":"ana"},"data":{"deadline_at":"2026-11-22T14:01:00.000000Z","emergency_id":"E-24","hold_ids":["H-25"],"level":"graceful","of":["w1","w2"],"ordered_at":null,"reason":"","selectors":[{"site":"s1"}],"stop_id":"stop-1"},"door":"test"}','93773ebf26ba5fb51eb54f65819057d308d88aa28f113bd54176162e3abfbfc3','6f73f5e3983d501125a783b47d1536e302951a1828348fe59285dab5f70bdf9b');
INSERT INTO "journal" VALUES(27,'emergency.joined',1,'2026-11-22T14:00:00.000000Z','c-6','c-7','ae69a31a0b98068355e6a89d945f8c1a','{"actor":{"kind":"person","name":"ana"},"data":{"emergency_id":"E-24","level":"immediate","selectors":[{}]},"door":"test"}','c1c1a5f863f63253517c9aecaef5e07a1457e2d737f2f6a031d9d2413081b78e','915e84eebfc5a61ea4310161e3d52c9353277d85caef58554cf53a00d95b90a7');
INSERT INTO "journal" VALUES(28,'hold.placed',1,'2026-11-22T14:00:00.000000Z','c-6','c-7','f1b7dc37eee829359a28d6423615b73f','{"actor":{"kind":"person","name":"ana"},"data":{"admit":0.0,"expires_at":null,"hold_id":"H-28","mode":"halt","owner":"E-24","reason":"","selector":{},"source":"emergency"},"door":"test"}','5a8d3182444db02ab5491dc3e748ab363ccd1d76e2b2d90e0d749153de73a6fb','4841b4b2a0affbf8bb2cd26aae3cee8246b315abaf8620f944c109383035ffcb');
INSERT INTO "journal" VALUES(29,'stop.ordered',1,'2026-11-22T14:00:00.000000Z','c-6','c-7','ebe4eaded4c76e004723cc69213ab074','{"actor":{"kind":"person","name":"ana"},"data":{"deadline_at":"2026-11-22T14:00:05.000000Z","emergency_id":"E-24","hold_ids":["H-28"],"level":"immediate","of":["w1","w2"],"ordered_at":null,"reason":"","selectors":[{}],"stop_id":"stop-2"},"door":"test"}','c24090506603527e089c2c7ace68892df0e58967bf032f8236926b1db552b568','9aded9c1060434f60e3520ff55af39c6de6b21cea31edfbf51bc8f47925f260c');
INSERT INTO "journal" VALUES(30,'hold.changed',1,'2026-11-22T14:00:00.000000Z','c-6','c-7','774bd2bc5bfd0939b27419409df0e3cc','{"actor":{"kind":"person","name":"ana"},"data":{"admit":0.0,"expires_at":null,"hold_id":"H-25","mode":"halt","reason":""},"door":"test"}','16a3f426b886b55613fb08e194cd840fa3af2c0a4712aade59922a8e0af3932a','41e20efa9ce4877caa8ebd434510dea871be120e19d675c35f2ebd34d534389f');
INSERT INTO "journal" VALUES(31,'stop.escalated',1,'2026-11-22T14:00:00.000000Z','c-6','c-7','20010fae1eb36b684dc9acb5608eb71d','{"actor":{"kind":"person","name":"ana"},"data":{"deadline_at":"2026-11-22T14:00:05.000000Z","level":"immediate","stop_id":"stop-1"},"door":"test"}','df22eb18085fd6f51608143797c3cee1ccffb78a2f5535707a0e0004847e9f30','e20b9254904231a8b9261a90d32f09bccd32b2f45246edf39b68f0eae283968d');
INSERT INTO "journal" VALUES(32,'stop.explained',1,'2026-11-22T14:00:00.000000Z','c-8','c-8','2a9b401f4b3c948df85d0d6e7230f6a7','{"actor":{"kind":"person","name":"ana"},"data":{"reason":"smoke in the hall","stop_id":"stop-2"},"door":"test"}','8061224dfa63c6186b4efad244d55a0cdbac6c7bf3d6d482152a9c4b0318431b','86fd6ffdb594fd3036da8846697e81141a987f3bbc7e54ecaeaf5d71f784aa08');
INSERT INTO "journal" VALUES(33,'hold.released',1,'2026-11-22T14:00:00.000000Z','c-9','c-9','b700775c5b197f02dd8077bb77e81e0a','{"actor":{"kind":"person","name":"ana"},"data":{"forced":false,"hold_id":"H-21","reason":"was not it"},"door":"test"}','3e8ebe11d9d84f1ca0d46f36c9bbe59a551a74ece2394eaccc459337e53fad9c','f00eebd0936a7f6a03f8983049a1bd581889103fe4e2e9ba258bb319b964115d');
INSERT INTO "journal" VALUES(34,'name.removed',1,'2026-11-22T14:00:00.000000Z','c-10','c-10','d0c8b452657acc1af8e08f396192856a','{"actor":{"kind":"person","name":"ana"},"data":{"dimension":"site","name":"s2"},"door":"test"}','4a8e7bee9fa44150e407fcaa82c3faa7f2f855b9fdc09b9db7635da185aa0093','bf1580c83c65d121d32ec099d60696c43a3d9ca1aaa7eac78613561223f4a7dd');
INSERT INTO "journal" VALUES(35,'limit.changed',1,'2026-11-22T14:00:00.000000Z','c-11','c-11','04541b50f0efbba6e4e9d4da51a27feb','{"actor":{"kind":"person","name":"ana"},"data":{"limit":5,"name":"sites","operation":"site_creation","window_s":3600.0},"door":"test"}','efac2010aa347ef578a33e2d0c8af25e1709720314799069161339923fb51fb9','96e38fbe5589254845596e4efeb73a42fa0bec38a711230784bbcb0b07d47d16');
CREATE TABLE journal_anchor (
	id INTEGER NOT NULL, 
	revision INTEGER NOT NULL, 
	chain TEXT NOT NULL, 
	PRIMARY KEY (id), 
	CONSTRAINT one_anchor CHECK (id = 1)
);
INSERT INTO "journal_anchor" VALUES(1,0,'6fa766e7e06c543025db5b430c5fbf0df11b55a56ff8ce5fc97f809a451f8b8f');
CREATE TABLE lease (
	name TEXT NOT NULL, 
	holder TEXT NOT NULL, 
	token INTEGER NOT NULL, 
	expires_at TEXT NOT NULL, 
	PRIMARY KEY (name)
);
CREATE TABLE limit_usage (
	reservation_id TEXT NOT NULL, 
	limit_name TEXT NOT NULL, 
	at_s FLOAT NOT NULL, 
	cost INTEGER NOT NULL, 
	PRIMARY KEY (reservation_id)
);
INSERT INTO "limit_usage" VALUES('r-049c7a16ce3842638896b431b22bb78a','content_pages',1795356000.0,3);
CREATE TABLE receipt (
	command_id TEXT NOT NULL, 
	fingerprint TEXT NOT NULL, 
	body TEXT NOT NULL, 
	at TEXT NOT NULL, 
	PRIMARY KEY (command_id)
);
INSERT INTO "receipt" VALUES('runtime-7d61ab984ead455a81621b5cd4441f1f','438c2cc9111c2837719d51e6c255b290778aa8335f7d940a96328a734e068009','{"revision":17,"changed":true,"events":[{"revision":1,"kind":"fleet.created"},{"revision":2,"kind":"name.added"},{"revision":3,"kind":"name.added"},{"revision":4,"kind":"name.added"},{"revision":5,"kind":"name.added"},{"revision":6,"kind":"name.added"},{"revision":7,"kind":"name.added"},{"revision":8,"kind":"name.added"},{"revision":9,"kind":"name.added"},{"revision":10,"kind":"name.added"},{"revision":11,"kind":"name.added"},{"revision":12,"kind":"name.added"},{"revision":13,"kind":"name.added"},{"revision":14,"kind":"limit.defined"},{"revision":15,"kind":"limit.defined"},{"revision":16,"kind":"limit.defined"},{"revision":17,"kind":"limit.defined"}],"hold_ids":[],"stop_id":null,"emergency_id":null,"durable":"database","remaining_holds":[],"notes":[]}','2026-11-22T14:00:00.000000Z');
INSERT INTO "receipt" VALUES('c-1','d7102a4932408562c0cd4ead488b0de1003254ee1d67aeeb83f2b5b42c05f12c','{"revision":18,"changed":true,"events":[{"revision":18,"kind":"name.added"}],"hold_ids":[],"stop_id":null,"emergency_id":null,"durable":"database","remaining_holds":[],"notes":[]}','2026-11-22T14:00:00.000000Z');
INSERT INTO "receipt" VALUES('c-2','30d299474049e5abc8b4f345b3aa3954a8cae7a739bbe30c61b626551f4aef31','{"revision":19,"changed":true,"events":[{"revision":19,"kind":"name.added"}],"hold_ids":[],"stop_id":null,"emergency_id":null,"durable":"database","remaining_holds":[],"notes":[]}','2026-11-22T14:00:00.000000Z');
INSERT INTO "receipt" VALUES('c-3','251c65ce24e5d90906ddf3da7eb289543eccb30164141d1fd56884326df13c71','{"revision":21,"changed":true,"events":[{"revision":20,"kind":"hold.placed"},{"revision":21,"kind":"hold.placed"}],"hold_ids":["H-20","H-21"],"stop_id":null,"emergency_id":null,"durable":"database","remaining_holds":[{"hold_id":"H-20","source":"operator","owner":"ana","selector":{"site":"s1"},"mode":"drain","reason":"\u00e8\u6f22\u0000","placed_at":"2026-11-22T14:00:00.000000Z","expires_at":null,"admit":0.0,"correlation_id":"c-3","revision":20,"overdue":false},{"hold_id":"H-21","source":"operator","owner":"ana","selector":{"site":"s2"},"mode":"drain","reason":"\u00e8\u6f22\u0000","placed_at":"2026-11-22T14:00:00.000000Z","expires_at":null,"admit":0.0,"correlation_id":"c-3","revision":21,"overdue":false}],"notes":[]}','2026-11-22T14:00:00.000000Z');
INSERT INTO "receipt" VALUES('c-4','4c6128875654a897065830065b43e9aa13377bd31297189a811525053fef6133','{"revision":22,"changed":true,"events":[{"revision":22,"kind":"hold.placed"}],"hold_ids":["H-22"],"stop_id":null,"emergency_id":null,"durable":"database","remaining_holds":[{"hold_id":"H-20","source":"operator","owner":"ana","selector":{"site":"s1"},"mode":"drain","reason":"\u00e8\u6f22\u0000","placed_at":"2026-11-22T14:00:00.000000Z","expires_at":null,"admit":0.0,"correlation_id":"c-3","revision":20,"overdue":false},{"hold_id":"H-21","source":"operator","owner":"ana","selector":{"site":"s2"},"mode":"drain","reason":"\u00e8\u6f22\u0000","placed_at":"2026-11-22T14:00:00.000000Z","expires_at":null,"admit":0.0,"correlation_id":"c-3","revision":21,"overdue":false},{"hold_id":"H-22","source":"flag","owner":"ab_testing","selector":{"operation":"ab_testing"},"mode":"drain","reason":"","placed_at":"2026-11-22T14:00:00.000000Z","expires_at":null,"admit":0.0,"correlation_id":"c-4","revision":22,"overdue":false}],"notes":[]}','2026-11-22T14:00:00.000000Z');
INSERT INTO "receipt" VALUES('c-5','ddb44abe325472fa870388a748d738a9119440a29ec8608b359175efb202044b','{"revision":23,"changed":true,"events":[{"revision":23,"kind":"limit.changed"}],"hold_ids":[],"stop_id":null,"emergency_id":null,"durable":"database","remaining_holds":[],"notes":[]}','2026-11-22T14:00:00.000000Z');
INSERT INTO "receipt" VALUES('c-6','1bcf29e12964052942ac15c3d3b57a88d4c61daa872c7e8807f1c0fa04c5b223','{"revision":26,"changed":true,"events":[{"revision":24,"kind":"emergency.opened"},{"revision":25,"kind":"hold.placed"},{"revision":26,"kind":"stop.ordered"}],"hold_ids":["H-25"],"stop_id":"stop-1","emergency_id":"E-24","durable":"database","remaining_holds":[{"hold_id":"H-20","source":"operator","owner":"ana","selector":{"site":"s1"},"mode":"drain","reason":"\u00e8\u6f22\u0000","placed_at":"2026-11-22T14:00:00.000000Z","expires_at":null,"admit":0.0,"correlation_id":"c-3","revision":20,"overdue":false},{"hold_id":"H-22","source":"flag","owner":"ab_testing","selector":{"operation":"ab_testing"},"mode":"drain","reason":"","placed_at":"2026-11-22T14:00:00.000000Z","expires_at":null,"admit":0.0,"correlation_id":"c-4","revision":22,"overdue":false},{"hold_id":"H-25","source":"emergency","owner":"E-24","selector":{"site":"s1"},"mode":"drain","reason":"","placed_at":"2026-11-22T14:00:00.000000Z","expires_at":null,"admit":0.0,"correlation_id":"c-6","revision":25,"overdue":false}],"notes":[]}','2026-11-22T14:00:00.000000Z');
INSERT INTO "receipt" VALUES('c-7','6f3c0acab40fdb8ed053b6f92ada5e5921ef2ba7ba77301d05179f1b377b39de','{"revision":31,"changed":true,"events":[{"revision":27,"kind":"emergency.joined"},{"revision":28,"kind":"hold.placed"},{"revision":29,"kind":"stop.ordered"},{"revision":30,"kind":"hold.changed"},{"revision":31,"kind":"stop.escalated"}],"hold_ids":["H-28"],"stop_id":"stop-2","emergency_id":"E-24","durable":"database","remaining_holds":[{"hold_id":"H-20","source":"operator","owner":"ana","selector":{"site":"s1"},"mode":"drain","reason":"\u00e8\u6f22\u0000","placed_at":"2026-11-22T14:00:00.000000Z","expires_at":null,"admit":0.0,"correlation_id":"c-3","revision":20,"overdue":false},{"hold_id":"H-21","source":"operator","owner":"ana","selector":{"site":"s2"},"mode":"drain","reason":"\u00e8\u6f22\u0000","placed_at":"2026-11-22T14:00:00.000000Z","expires_at":null,"admit":0.0,"correlation_id":"c-3","revision":21,"overdue":false},{"hold_id":"H-22","source":"flag","owner":"ab_testing","selector":{"operation":"ab_testing"},"mode":"drain","reason":"","placed_at":"2026-11-22T14:00:00.000000Z","expires_at":null,"admit":0.0,"correlation_id":"c-4","revision":22,"overdue":false},{"hold_id":"H-28","source":"emergency","owner":"E-24","selector":{},"mode":"halt","reason":"","placed_at":"2026-11-22T14:00:00.000000Z","expires_at":null,"admit":0.0,"correlation_id":"c-6","revision":28,"overdue":false},{"hold_id":"H-25","source":"emergency","owner":"E-24","selector":{"site":"s1"},"mode":"halt","reason":"","placed_at":"2026-11-22T14:00:00.000000Z","expires_at":null,"admit":0.0,"correlation_id":"c-6","revision":30,"overdue":false}],"notes":[]}','2026-11-22T14:00:00.000000Z');
INSERT INTO "receipt" VALUES('c-8','695ce96b70c22ead169386dcd759366e5ea28d50e359aa52f9dfe75d14b22867','{"revision":32,"changed":true,"events":[{"revision":32,"kind":"stop.explained"}],"hold_ids":[],"stop_id":"stop-2","emergency_id":null,"durable":"database","remaining_holds":[],"notes":[]}','2026-11-22T14:00:00.000000Z');
INSERT INTO "receipt" VALUES('c-9','532acb8ad6c79bd90337204aed2bc3be19485f718b557d5a9a17f0f34abb95ab','{"revision":33,"changed":true,"events":[{"revision":33,"kind":"hold.released"}],"hold_ids":["H-21"],"stop_id":null,"emergency_id":null,"durable":"database","remaining_holds":[{"hold_id":"H-22","source":"flag","owner":"ab_testing","selector":{"operation":"ab_testing"},"mode":"drain","reason":"","placed_at":"2026-11-22T14:00:00.000000Z","expires_at":null,"admit":0.0,"correlation_id":"c-4","revision":22,"overdue":false},{"hold_id":"H-28","source":"emergency","owner":"E-24","selector":{},"mode":"halt","reason":"smoke in the hall","placed_at":"2026-11-22T14:00:00.000000Z","expires_at":null,"admit":0.0,"correlation_id":"c-6","revision":32,"overdue":false}],"notes":["released H-21 of operator ana"]}','2026-11-22T14:00:00.000000Z');
INSERT INTO "receipt" VALUES('c-10','373a8b9cdd0f1556204c26cda50a51bb14b9f90f8bcd961741f0c063e7959734','{"revision":34,"changed":true,"events":[{"revision":34,"kind":"name.removed"}],"hold_ids":[],"stop_id":null,"emergency_id":null,"durable":"database","remaining_holds":[],"notes":[]}','2026-11-22T14:00:00.000000Z');
INSERT INTO "receipt" VALUES('c-11','843d5af2af9e8d323fd159eecf45d79c0d38cf31af2b96d81f574ec31df771e3','{"revision":35,"changed":true,"events":[{"revision":35,"kind":"limit.changed"}],"hold_ids":[],"stop_id":null,"emergency_id":null,"durable":"database","remaining_holds":[],"notes":[]}','2026-11-22T14:00:00.000000Z');
CREATE TABLE worker (
	worker_id TEXT NOT NULL, 
	env TEXT NOT NULL, 
	scope TEXT NOT NULL, 
	pid INTEGER NOT NULL, 
	started TEXT NOT NULL, 
	registered_at TEXT NOT NULL, 
	heartbeat_at TEXT NOT NULL, 
	revision INTEGER NOT NULL, 
	stops TEXT NOT NULL, 
	draining TEXT NOT NULL, 
	in_flight INTEGER NOT NULL, 
	state TEXT NOT NULL, 
	PRIMARY KEY (worker_id)
);
INSERT INTO "worker" VALUES('w1','prod','{"site":["s1","s2"]}',4711,'812','2026-11-22T14:00:00.000000Z','2026-11-22T14:00:00.000000Z',0,'[]','{}',1,'live');
INSERT INTO "worker" VALUES('w2','prod','{"site":["s1","s2"]}',4711,'812','2026-11-22T14:00:00.000000Z','2026-11-22T14:00:00.000000Z',0,'[]','{}',1,'live');
CREATE INDEX limit_usage_window ON limit_usage (limit_name, at_s);
COMMIT;
