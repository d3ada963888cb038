BEGIN TRANSACTION;
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('pre_0002');
CREATE TABLE checkpoint (
	revision INTEGER NOT NULL, 
	chain TEXT NOT NULL, 
	state TEXT NOT NULL, 
	digest TEXT NOT NULL, 
	PRIMARY KEY (revision)
);
INSERT INTO "checkpoint" VALUES(26,'979e48404903b03d2570ec58b2c2bcabc5c86ce0559594af710d78278cb903ad','{"control_revision":26,"emergencies":[["E-24","graceful",[{"site":"s1"}],["stop-1"],"2026-11-22T14:00:00.000000Z","ana","","c-6","active",null,""]],"fleet":"f-0123456789ab","format":3,"holds":[{"admit":0.0,"correlation_id":"c-3","expires_at":null,"hold_id":"H-20","mode":"drain","overdue":false,"owner":"ana","placed_at":"2026-11-22T14:00:00.000000Z","reason":"\u00e8\u6f22\u0000","revision":20,"selector":{"site":"s1"},"source":"operator"},{"admit":0.0,"correlation_id":"c-3","expires_at":null,"hold_id":"H-21","mode":"drain","overdue":false,"owner":"ana","placed_at":"2026-11-22T14:00:00.000000Z","reason":"\u00e8\u6f22\u0000","revision":21,"selector":{"site":"s2"},"source":"operator"},{"admit":0.0,"correlation_id":"c-4","expires_at":null,"hold_id":"H-22","mode":"drain","overdue":false,"owner":"ab_testing","placed_at":"2026-11-22T14:00:00.000000Z","reason":"","revision":22,"selector":{"operation":"ab_testing"},"source":"flag"},{"admit":0.0,"correlation_id":"c-6","expires_at":null,"hold_id":"H-25","mode":"drain","overdue":false,"owner":"E-24","placed_at":"2026-11-22T14:00:00.000000Z","reason":"","revision":25,"selector":{"site":"s1"},"source":"emergency"}],"limits":[["content_pages",100,3600.0,"content_generation","maxContentPagesPerHour","2026-11-22T14:00:00.000000Z","runtime"],["gsc_requests",200,3600.0,"gsc_verification","maxGSCRequestsPerHour","2026-11-22T14:00:00.000000Z","runtime"],["opportunity_scans",50,86400.0,"opportunity_scan","maxOpportunityScansPerDay","2026-11-22T14:00:00.000000Z","runtime"],["sites",0,3600.0,"site_creation","maxSitesPerHour","2026-11-22T14:00:00.000000Z","ana"]],"names":[["operation","ab_testing","","2026-11-22T14:00:00.000000Z","2026-11-22T14:00:00.000000Z","ana"],["operation","content_generation","","2026-11-22T14:00:00.000000Z","2026-11-22T14:00:00.000000Z","runtime"],["operation","content_optimization","","2026-11-22T14:00:00.000000Z","2026-11-22T14:00:00.000000Z","runtime"],["operation","gsc_verification","","2026-11-22T14:00:00.000000Z","2026-11-22T14:00:00.000000Z","runtime"],["operation","opportunity_scan","","2026-11-22T14:00:00.000000Z","2026-11-22T14:00:00.000000Z","runtime"],["operation","site_creation","","2026-11-22T14:00:00.000000Z","2026-11-22T14:00:00.000000Z","runtime"],["site","s1","","2026-11-22T14:00:00.000000Z","2026-11-22T14:00:00.000000Z","ana"],["site","s2","Zweite Seite","2026-11-22T14:00:00.000000Z","2026-11-22T14:00:00.000000Z","ana"],["workflow","manual-order-sync","","2026-11-22T14:00:00.000000Z","2026-11-22T14:00:00.000000Z","runtime"],["workflow","orders-cleanup","","2026-11-22T14:00:00.000000Z","2026-11-22T14:00:00.000000Z","runtime"],["workflow","shipstation-upload","","2026-11-22T14:00:00.000000Z","2026-11-22T14:00:00.000000Z","runtime"],["workflow","status-sync","","2026-11-22T14:00:00.000000Z","2026-11-22T14:00:00.000000Z","runtime"],["workflow","weekly-reporter","","2026-11-22T14:00:00.000000Z","2026-11-22T14:00:00.000000Z","runtime"],["workflow","xml-import","","2026-11-22T14:00:00.000000Z","2026-11-22T14:00:00.000000Z","runtime"]],"names_revision":19,"revision":26,"stops":[["stop-1","E-24","graceful",[{"site":"s1"}],["H-25"],["w1","w2"],"2026-11-22T14:00:00.000000Z","ana","2026-11-22T14:01:00.000000Z","","pending",[],null,null]],"tokens":[],"workers":[]}','3750d1243c98551fb9e8176aefc5d56be2a818d7929b527b297dbd24ef3c7920');
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
INSERT INTO "gate_head" VALUES(1,1,'f-0123456789ab',35,'ec5168ff7c11b50ba8156265c51b6453a70e60df93275850639b4e909ece5a36',34,'2026-11-22T14:00:00.000000Z');
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
INSERT INTO "journal" VALUES(1,'fleet.created',1,'2026-11-22T14:00:00.000000Z','runtime-ab7679d3be7f451fab6b1ea66c050d25','runtime-ab7679d3be7f451fab6b1ea66c050d25','548e19dcee60641dff1acbca63e7d6b3','{"actor":{"kind":"system","name":"runtime"},"data":{"fleet":"f-0123456789ab"},"door":"keeper"}','b046ab06c7568604c6c546cf65ea495dc50f177a142f9cfad682295c0917811d','b98373741e99f5538669e755c616ae5fe6c21230fac88818bf5eb16b510bc6bf');
INSERT INTO "journal" VALUES(2,'name.added',1,'2026-11-22T14:00:00.000000Z','runtime-ab7679d3be7f451fab6b1ea66c050d25','runtime-ab7679d3be7f451fab6b1ea66c050d25','ba2ca6e42ac7faf0aa614d49772da8e6','{"actor":{"kind":"system","name":"runtime"},"data":{"dimension":"operation","name":"site_creation","title":""},"door":"keeper"}','6d4f87bad0c55fb10a44577d53436734c591221534558e6ff75b5ed812614584','894a94250bf96727b5c0971eaee37fe26c909a61daa40651b8edd2883bc98da1');
INSERT INTO "journal" VALUES(3,'name.added',1,'2026-11-22T14:00:00.000000Z','runtime-ab7679d3be7f451fab6b1ea66c050d25','runtime-ab7679d3be7f451fab6b1ea66c050d25','c6922527e9720ec7a89ddbbe8e6c7088','{"actor":{"kind":"system","name":"runtime"},"data":{"dimension":"operation","name":"content_generation","title":""},"door":"keeper"}','c286997bf465f4bf236e5c747a2778d361a1889bc5b8e706db1aae9efcd9c4da','fed2ebc148410e2fe791f39672fd53f1ab415597cc872e9fc6eb29f9cdd324ec');
INSERT INTO "journal" VALUES(4,'name.added',1,'2026-11-22T14:00:00.000000Z','runtime-ab7679d3be7f451fab6b1ea66c050d25','runtime-ab7679d3be7f451fab6b1ea66c050d25','94aee7e19c5c00a923f18c6389dc05dc','{"actor":{"kind":"system","name":"runtime"},"data":{"dimension":"operation","name":"gsc_verification","title":""},"door":"keeper"}','ea0188653c5ea8ee35813cc5316dff3d2f8ebbc80e02d0ef447a7629ccc18079','dd555de3b9d1c0044e79b614121e94d036e2f734ee6325f36b2736802bd634ab');
INSERT INTO "journal" VALUES(5,'name.added',1,'2026-11-22T14:00:00.000000Z','runtime-ab7679d3be7f451fab6b1ea66c050d25','runtime-ab7679d3be7f451fab6b1ea66c050d25','00c53bdcb8c491f526183132dbda61e0','{"actor":{"kind":"system","name":"runtime"},"data":{"dimension":"operation","name":"content_optimization","title":""},"door":"keeper"}','926d70a982a3d6f6c015e7823d2922e094b6d981cf68b8d1db38eee2a34a34c6','ae58a60f0208cadc2a6170df242d403a304aaca51940f5cb32195633ca79a70e');
INSERT INTO "journal" VALUES(6,'name.added',1,'2026-11-22T14:00:00.000000Z','runtime-ab7679d3be7f451fab6b1ea66c050d25','runtime-ab7679d3be7f451fab6b1ea66c050d25','92590df2d20cb7cbecec15d7a14877e0','{"actor":{"kind":"system","name":"runtime"},"data":{"dimension":"operation","name":"ab_testing","title":""},"door":"keeper"}','a62c86148f75b32bd3e231e774d0b6f3056d5276abe9a24c92e83c8040fe7185','80205b64374c14f1800a192e8d883338dc278fd32a1b02bbc17c276affa937cf');
INSERT INTO "journal" VALUES(7,'name.added',1,'2026-11-22T14:00:00.000000Z','runtime-ab7679d3be7f451fab6b1ea66c050d25','runtime-ab7679d3be7f451fab6b1ea66c050d25','5279b3325b92f5d9c6c5cd9d2571f55e','{"actor":{"kind":"system","name":"runtime"},"data":{"dimension":"operation","name":"opportunity_scan","title":""},"door":"keeper"}','dbe03a6a780f6ddddb869f91db70f02d19461c5da1521524fa7a181243598d0b','d14053a16d424952c3724151f91d326f7fc88f073c7a6ae2a124ab3d227b738f');
INSERT INTO "journal" VALUES(8,'name.added',1,'2026-11-22T14:00:00.000000Z','runtime-ab7679d3be7f451fab6b1ea66c050d25','runtime-ab7679d3be7f451fab6b1ea66c050d25','ea3035ad02fb9b0110e035d31d8a49f6','{"actor":{"kind":"system","name":"runtime"},"data":{"dimension":"workflow","name":"xml-import","title":""},"door":"keeper"}','86b0638b7a4ff0678560188692404e0dbd22b9b1433f1cedcd570e7ae3af92c4','df93ba4fe914e98dc70ed2e575650d188905477a583289b3d4cbdb5520e0b00b');
INSERT INTO "journal" VALUES(9,'name.added',1,'2026-11-22T14:00:00.000000Z','runtime-ab7679d3be7f451fab6b1ea66c050d25','runtime-ab7679d3be7f451fab6b1ea66c050d25','d635ccbbfc790d8a72e55c7f2a75be3d','{"actor":{"kind":"system","name":"runtime"},"data":{"dimension":"workflow","name":"shipstation-upload","title":""},"door":"keeper"}','36f176d538e51ee96dd72ae1860db56dbe27cbf6ef7a0115bbcc785293712f15','81996be5b102aa19b14fec26a90eb29353edc6724846693212f7f414b80bc4aa');
INSERT INTO "journal" VALUES(10,'name.added',1,'2026-11-22T14:00:00.000000Z','runtime-ab7679d3be7f451fab6b1ea66c050d25','runtime-ab7679d3be7f451fab6b1ea66c050d25','e2e22e54736c4d33a622d6bc14eb2f5b','{"actor":{"kind":"system","name":"runtime"},"data":{"dimension":"workflow","name":"status-sync","title":""},"door":"keeper"}','341932121145e2204dd4e084ebd1e1550678337eaaf29126a76a611245b584a4','afcfde151191c0a07aa3003799ad3083fb73630b1f8caf4ca92c19f69d70a860');
INSERT INTO "journal" VALUES(11,'name.added',1,'2026-11-22T14:00:00.000000Z','runtime-ab7679d3be7f451fab6b1ea66c050d25','runtime-ab7679d3be7f451fab6b1ea66c050d25','023d8d0596431b1453fbc160d2e71b62','{"actor":{"kind":"system","name":"runtime"},"data":{"dimension":"workflow","name":"manual-order-sync","title":""},"door":"keeper"}','ae8f6a6821ac10b022af120325092e53c501afa145711cb999fc4b20b71b5a4d','c69b3e68a4cc8c55b4714bd2262f12203d0250442709a2f1e56ec2f7d7e21de3');
INSERT INTO "journal" VALUES(12,'name.added',1,'2026-11-22T14:00:00.000000Z','runtime-ab7679d3be7f451fab6b1ea66c050d25','runtime-ab7679d3be7f451fab6b1ea66c050d25','d0c0c7960498fa4919d50a68c162e51a','{"actor":{"kind":"system","name":"runtime"},"data":{"dimension":"workflow","name":"orders-cleanup","title":""},"door":"keeper"}','dadbd3d53b2fb977628826e862245a8dc78fe73327ab92e42c69b5c3f4355594','4170197109e4c3f656a44cf662af5b4f054df5981157b6b49d991afbd59e175d');
INSERT INTO "journal" VALUES(13,'name.added',1,'2026-11-22T14:00:00.000000Z','runtime-ab7679d3be7f451fab6b1ea66c050d25','runtime-ab7679d3be7f451fab6b1ea66c050d25','ad1de111f2d8519620906c3c99fc48d2','{"actor":{"kind":"system","name":"runtime"},"data":{"dimension":"workflow","name":"weekly-reporter","title":""},"door":"keeper"}','a6b73d1973c02b0102a5fea58e68961b0f09fb0817ae7ec2999220fe091b8772','e5daee427a5ff45a867132e9faff5cd6474900d2bd66fbbfd2fe5c6fae5956bf');
INSERT INTO "journal" VALUES(14,'limit.defined',1,'2026-11-22T14:00:00.000000Z','runtime-ab7679d3be7f451fab6b1ea66c050d25','runtime-ab7679d3be7f451fab6b1ea66c050d25','4c5992e57df9507841663b7a6ad682be','{"actor":{"kind":"system","name":"runtime"},"data":{"alias":"maxSitesPerHour","limit":10,"name":"sites","operation":"site_creation","window_s":3600.0},"door":"keeper"}','8fc0539b76d9d1579ed40a2a1aa4cafee2ae57eda17b3aea057253ff0d398ff9','166fbca9e2868ffebca80093bf66d8467e657d1c02537c776075defefc9a3f66');
INSERT INTO "journal" VALUES(15,'limit.defined',1,'2026-11-22T14:00:00.000000Z','runtime-ab7679d3be7f451fab6b1ea66c050d25','runtime-ab7679d3be7f451fab6b1ea66c050d25','c292d02e04268d963720c6d9af1a2ad6','{"actor":{"kind":"system","name":"runtime"},"data":{"alias":"maxContentPagesPerHour","limit":100,"name":"content_pages","operation":"content_generation","window_s":3600.0},"door":"keeper"}','a8da743bdc30e1573cc3dc0498c5c00959a618afe8ff15b5b26e19367131fc42','2c4052de4996b05344cc7fde4b5b48ca748e1ad903faa3fe54c377c0aac94726');
INSERT INTO "journal" VALUES(16,'limit.defined',1,'2026-11-22T14:00:00.000000Z','runtime-ab7679d3be7f451fab6b1ea66c050d25','runtime-ab7679d3be7f451fab6b1ea66c050d25','b934fc55d342b3c1d613e7d34c958145','{"actor":{"kind":"system","name":"runtime"},"data":{"alias":"maxGSCRequestsPerHour","limit":200,"name":"gsc_requests","operation":"gsc_verification","window_s":3600.0},"door":"keeper"}','8632aab8a2f9a6c6e58994bc2498502bdedfeba604dd45491c213bb8782c34e9','e0f81f36bd67a5231956194aa55f00bda69b1f0975c372d64e546d7e293ba899');
INSERT INTO "journal" VALUES(17,'limit.defined',1,'2026-11-22T14:00:00.000000Z','runtime-ab7679d3be7f451fab6b1ea66c050d25','runtime-ab7679d3be7f451fab6b1ea66c050d25','15148b76db630efcb414ddb43a767d63','{"actor":{"kind":"system","name":"runtime"},"data":{"alias":"maxOpportunityScansPerDay","limit":50,"name":"opportunity_scans","operation":"opportunity_scan","window_s":86400.0},"door":"keeper"}','c7177f1cc41d2c571394d7f4d62424fd71f3b94d6fa3b4c874c079109f1819ce','9247b40bb66754903941476dc5a6c2ca8f0a362eb2ca6091e3430237cc23f97f');
INSERT INTO "journal" VALUES(18,'name.added',1,'2026-11-22T14:00:00.000000Z','c-1','c-1','2f0890ce18f10a89d555d6ca4407e1d7','{"actor":{"kind":"person","name":"ana"},"data":{"dimension":"site","name":"s1","title":""},"door":"test"}','22a2be05a34fe4f59fefe3976b88c490c264c39563b0872c373c83ef72086225','d7abbba98ee538a986c1eba694a5072f4beca4f147b1150dfd4aac5dbb03b0af');
INSERT INTO "journal" VALUES(19,'name.added',1,'2026-11-22T14:00:00.000000Z','c-2','c-2','ffc336070bff75e664b3c76f088f15b5','{"actor":{"kind":"person","name":"ana"},"data":{"dimension":"site","name":"s2","title":"Zweite Seite"},"door":"test"}','3ab0f1ea4f6e9a7ab78a0c18dc543138ce1f05e49e6a96528fa8ef60fd8b442f','2e9b29a5dfa013dee4f38111cd4f8a2204a61a83381fd4609b339461ba218091');
INSERT INTO "journal" VALUES(20,'hold.placed',1,'2026-11-22T14:00:00.000000Z','c-3','c-3','654436e26ef6ee7d600153ca991d20ed','{"actor":{"kind":"person","name":"ana"},"data":{"admit":0.0,"expires_at":null,"hold_id":"H-20","mode":"drain","owner":"ana","reason":"\u00e8\u6f22\u0000","selector":{"site":"s1"},"source":"operator"},"door":"test"}','a189e640429bb73a4df971666fb9cc4e34b6774f1bd0a6b41c79b1df371912bc','848517c1cffd812344400ce56994beb11bb256d77a103bb4af9cec9c2e44a007');
INSERT INTO "journal" VALUES(21,'hold.placed',1,'2026-11-22T14:00:00.000000Z','c-3','c-3','aa26b33cb8c53a24a07b77732a9dfe30','{"actor":{"kind":"person","name":"ana"},"data":{"admit":0.0,"expires_at":null,"hold_id":"H-21","mode":"drain","owner":"ana","reason":"\u00e8\u6f22\u0000","selector":{"site":"s2"},"source":"operator"},"door":"test"}','b6065a681252a4ae8100638cd50a3266970d3705903c837d171f958df9e9e738','b5c795ab4412fe81a046ff0778620d294c56aa90758cc2edf54f1b5287ba0985');
INSERT INTO "journal" VALUES(22,'hold.placed',1,'2026-11-22T14:00:00.000000Z','c-4','c-4','2c40f5f541c63df5574fe7c471c32ee1','{"actor":{"kind":"person","name":"ana"},"data":{"admit":0.0,"expires_at":null,"hold_id":"H-22","mode":"drain","owner":"ab_testing","reason":"","selector":{"operation":"ab_testing"},"source":"flag"},"door":"test"}','4d3d5a7bd5d8019a405a5ef43a07e69d14ed9ceba2a8380935eb0860cc18fec7','3a7f4fb260a324a256e500d83ecb90d051a3ec924e9dbd8d63efe7a1798cc16c');
INSERT INTO "journal" VALUES(23,'limit.changed',1,'2026-11-22T14:00:00.000000Z','c-5','c-5','8ede577b9d2b2e7910bdecc0f6142619','{"actor":{"kind":"person","name":"ana"},"data":{"limit":0,"name":"sites","operation":"site_creation","window_s":3600.0},"door":"test"}','4ad4c8e61043af1215880455a7763c78b8ff68a7d2712d4f99554137095364bc','578b62cc49cd8fe4e6a7a7cb76c3b080ffa138e8d0bdcd0562f31cb7ab00f919');
INSERT INTO "journal" VALUES(24,'emergency.opened',1,'2026-11-22T14:00:00.000000Z','c-6','c-6','f6b4a61ede84227e173a76849db285d5','{"actor":{"kind":"person","name":"ana"},"data":{"emergency_id":"E-24","level":"graceful","reason":"","selectors":[{"site":"s1"}]},"door":"test"}','f3bc92b42de061a11d13d4a6908d8124b4f7fe69bd6adbb20b104caee35ff923','97b4b83b61c686b718c2bf4583278bc1ae35d529d5afe1e121f968ad5486ea68');
INSERT INTO "journal" VALUES(25,'hold.placed',1,'2026-11-22T14:00:00.000000Z','c-6','c-6','8caf50f685441a8354234ce25dd54ff5','{"actor":{"kind":"person","name":"ana"},"data":{"admit":0.0,"expires_at":null,"hold_id":"H-25","mode":"drain","owner":"E-24","reason":"","selector":{"site":"s1"},"source":"emergency"},"door":"test"}','ec7519a64e1ff7206dcc10b53f9231ebb90ef4ade57e97bf5438da8fa26c3b8f','62dbdc4c63839cc6539448c95f6384455ff66898f02d5b8120661dcf696eddd4');
INSERT INTO "journal" VALUES(26,'stop.ordered',1,'2026-11-22T14:00:00.000000Z','c-6','c-6','235f590a33d129bf36e8534d41072b5c','{"actor":{"kind":"person","name":"ana"},"data":{"deadline_at":"2026-11-22T14:01:00.000000Z","emergency_id":"E-24","hold_ids":["H-25"],"level":"graceful","of":["w1","w2"],"ordered_at":null,"reason":"","selectors":[{"site":"s1"}],"stop_id":"stop-1"},"door":"test"}','926f399982e9c1bcf40ceba5dd52334cb348c7b0a465b91616139f2a1f446ba9','979e48404903b03d2570ec58b2c2bcabc5c86ce0559594af710d78278cb903ad');
INSERT INTO "journal" VALUES(27,'emergency.joined',1,'2026-11-22T14:00:00.000000Z','c-6','c-7','4e89d7ffca8d0f086bcb340f2eae9ead','{"actor":{"kind":"person","name":"ana"},"data":{"emergency_id":"E-24","level":"immediate","selectors":[{}]},"door":"test"}','02f01b92870e59fe768e995062498dec72a4d93e787841b4b86b5b7ddf2f259d','e3b92bfc4fc69ceeec5c2108d472bbaba6080f4df3523d4a17fede2688d46b33');
INSERT INTO "journal" VALUES(28,'hold.placed',1,'2026-11-22T14:00:00.000000Z','c-6','c-7','d6694f202704dca0da1cd735da4c672a','{"actor":{"kind":"person","name":"ana"},"data":{"admit":0.0,"expires_at":null,"hold_id":"H-28","mode":"halt","owner":"E-24","reason":"","selector":{},"source":"emergency"},"door":"test"}','bbf30e45c631782c2097b7e6ed9a7034bb76fbd80249cbb8f2435ff8ca3201b0','182b663ff3affe1bd3975a18665a4e180285b4cf8df70bdbffe4fb9ba038b2a4');
INSERT INTO "journal" VALUES(29,'stop.ordered',1,'2026-11-22T14:00:00.000000Z','c-6','c-7','f1970e7a78b8adab770bac336234b463','{"actor":{"kind":"person","name":"ana"},"data":{"deadline_at":"2026-11-22T14:00:05.000000Z","emergency_id":"E-24","hold_ids":["H-28"],"level":"immediate","of":["w1","w2"],"ordered_at":null,"reason":"","selectors":[{}],"stop_id":"stop-2"},"door":"test"}','d9163f3b616c7061df489f523ffa6595a7a51480a143a89b6d8b78551f2c151f','4df5d435e0d4af2420957838bd362c1d8438fea3105e75393bf33015dfaef827');
INSERT INTO "journal" VALUES(30,'hold.changed',1,'2026-11-22T14:00:00.000000Z','c-6','c-7','93995ab64ae464fe8da4392d58ba1d37','{"actor":{"kind":"person","name":"ana"},"data":{"admit":0.0,"expires_at":null,"hold_id":"H-25","mode":"halt","reason":""},"door":"test"}','4bedc9ea07d436d5122bfb5799548a687383056c8c09dc9937c88fa948e24dc6','3109fc3e96812d22718d6f8f61429ec27114827447b4925c5ce9e1059e46d300');
INSERT INTO "journal" VALUES(31,'stop.escalated',1,'2026-11-22T14:00:00.000000Z','c-6','c-7','b5a8a72378e826be1d871cbd444bb8ab','{"actor":{"kind":"person","name":"ana"},"data":{"deadline_at":"2026-11-22T14:00:05.000000Z","level":"immediate","stop_id":"stop-1"},"door":"test"}','69606a1352329921f7ccd096bdc0d5249351303bae619b2209b671c9310539a1','786cca11e584cf3c404bea0eb8cfd6ba6fd1d6513a2c44613eec422847f7454f');
INSERT INTO "journal" VALUES(32,'stop.explained',1,'2026-11-22T14:00:00.000000Z','c-8','c-8','5072830d5d347deea4934dbcd0a59a3c','{"actor":{"kind":"person","name":"ana"},"data":{"reason":"smoke in the hall","stop_id":"stop-2"},"door":"test"}','cc1e391391c2f1373436e19d6d0cca5f83e872b57005df0f94c7d94cd361967a','a92c85116e3a1303642ee07336960ba97619cc846104abbb455c7a7ccfe51caa');
INSERT INTO "journal" VALUES(33,'hold.released',1,'2026-11-22T14:00:00.000000Z','c-9','c-9','c16cf03a1d2861eac2ad76fe682b65d3','{"actor":{"kind":"person","name":"ana"},"data":{"forced":false,"hold_id":"H-21","reason":"was not it"},"door":"test"}','aa294583c36f73ecad080b36dd23527edbae81bf48ef382b1733d7baa32057e9','dbdba16e707e82fcfec93c8df28c456a8e0a7dd8aba9ca6e4b48a1588fca7688');
INSERT INTO "journal" VALUES(34,'name.removed',1,'2026-11-22T14:00:00.000000Z','c-10','c-10','fe70c77ef80342d2fa53dcc16821fa71','{"actor":{"kind":"person","name":"ana"},"data":{"dimension":"site","name":"s2"},"door":"test"}','8e86b2481e9a013bbf08fb630cabac5d1b545f76fe8b28e2a9c59b188cad0e90','5e0acee52ffd47cac7a6bd4b0a7f80c995965e95c7d9aea83a25721a36493de1');
INSERT INTO "journal" VALUES(35,'limit.changed',1,'2026-11-22T14:00:00.000000Z','c-11','c-11','cba6a08905fd196601cfc03aabb05a27','{"actor":{"kind":"person","name":"ana"},"data":{"limit":5,"name":"sites","operation":"site_creation","window_s":3600.0},"door":"test"}','c2a3f25be3b4eff69707c3870df2ce1e21ea368666e86bc994543126f9f4f12f','ec5168ff7c11b50ba8156265c51b6453a70e60df93275850639b4e909ece5a36');
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
INSERT INTO "limit_usage" VALUES('r-bef450ca35a54c9a997a654f70339d6d','content_pages',1795356000.0,3);
CREATE TABLE outbox_cursor (
	name TEXT NOT NULL, 
	revision INTEGER NOT NULL, 
	at TEXT NOT NULL, 
	detail TEXT NOT NULL, 
	PRIMARY KEY (name)
);
CREATE TABLE program (
	name TEXT NOT NULL, 
	step TEXT NOT NULL, 
	seen_at TEXT NOT NULL, 
	PRIMARY KEY (name)
);
CREATE TABLE receipt (
	command_id TEXT NOT NULL, 
	fingerprint TEXT NOT NULL, 
	body TEXT NOT NULL, 
	at TEXT NOT NULL, 
	PRIMARY KEY (command_id)
);
INSERT INTO "receipt" VALUES('runtime-ab7679d3be7f451fab6b1ea66c050d25','438c2cc9111c2837719d51e6c255b290778aa8335f7d940a96328a734e068009','{"revision":17,"changed":true,"events":[{"revision":1,"kind":"fleet.created"},{"revision":2,"kind":"name.added"},{"revision":3,"kind":"name.added"},{"revision":4,"kind":"name.added"},{"revision":5,"kind":"name.added"},{"revision":6,"kind":"name.added"},{"revision":7,"kind":"name.added"},{"revision":8,"kind":"name.added"},{"revision":9,"kind":"name.added"},{"revision":10,"kind":"name.added"},{"revision":11,"kind":"name.added"},{"revision":12,"kind":"name.added"},{"revision":13,"kind":"name.added"},{"revision":14,"kind":"limit.defined"},{"revision":15,"kind":"limit.defined"},{"revision":16,"kind":"limit.defined"},{"revision":17,"kind":"limit.defined"}],"hold_ids":[],"stop_id":null,"emergency_id":null,"durable":"database","remaining_holds":[],"notes":[]}','2026-11-22T14:00:00.000000Z');
INSERT INTO "receipt" VALUES('c-1','d7102a4932408562c0cd4ead488b0de1003254ee1d67aeeb83f2b5b42c05f12c','{"revision":18,"changed":true,"events":[{"revision":18,"kind":"name.added"}],"hold_ids":[],"stop_id":null,"emergency_id":null,"durable":"database","remaining_holds":[],"notes":[]}','2026-11-22T14:00:00.000000Z');
INSERT INTO "receipt" VALUES('c-2','30d299474049e5abc8b4f345b3aa3954a8cae7a739bbe30c61b626551f4aef31','{"revision":19,"changed":true,"events":[{"revision":19,"kind":"name.added"}],"hold_ids":[],"stop_id":null,"emergency_id":null,"durable":"database","remaining_holds":[],"notes":[]}','2026-11-22T14:00:00.000000Z');
INSERT INTO "receipt" VALUES('c-3','251c65ce24e5d90906ddf3da7eb289543eccb30164141d1fd56884326df13c71','{"revision":21,"changed":true,"events":[{"revision":20,"kind":"hold.placed"},{"revision":21,"kind":"hold.placed"}],"hold_ids":["H-20","H-21"],"stop_id":null,"emergency_id":null,"durable":"database","remaining_holds":[{"hold_id":"H-20","source":"operator","owner":"ana","selector":{"site":"s1"},"mode":"drain","reason":"\u00e8\u6f22\u0000","placed_at":"2026-11-22T14:00:00.000000Z","expires_at":null,"admit":0.0,"correlation_id":"c-3","revision":20,"overdue":false},{"hold_id":"H-21","source":"operator","owner":"ana","selector":{"site":"s2"},"mode":"drain","reason":"\u00e8\u6f22\u0000","placed_at":"2026-11-22T14:00:00.000000Z","expires_at":null,"admit":0.0,"correlation_id":"c-3","revision":21,"overdue":false}],"notes":[]}','2026-11-22T14:00:00.000000Z');
INSERT INTO "receipt" VALUES('c-4','4c6128875654a897065830065b43e9aa13377bd31297189a811525053fef6133','{"revision":22,"changed":true,"events":[{"revision":22,"kind":"hold.placed"}],"hold_ids":["H-22"],"stop_id":null,"emergency_id":null,"durable":"database","remaining_holds":[{"hold_id":"H-20","source":"operator","owner":"ana","selector":{"site":"s1"},"mode":"drain","reason":"\u00e8\u6f22\u0000","placed_at":"2026-11-22T14:00:00.000000Z","expires_at":null,"admit":0.0,"correlation_id":"c-3","revision":20,"overdue":false},{"hold_id":"H-21","source":"operator","owner":"ana","selector":{"site":"s2"},"mode":"drain","reason":"\u00e8\u6f22\u0000","placed_at":"2026-11-22T14:00:00.000000Z","expires_at":null,"admit":0.0,"correlation_id":"c-3","revision":21,"overdue":false},{"hold_id":"H-22","source":"flag","owner":"ab_testing","selector":{"operation":"ab_testing"},"mode":"drain","reason":"","placed_at":"2026-11-22T14:00:00.000000Z","expires_at":null,"admit":0.0,"correlation_id":"c-4","revision":22,"overdue":false}],"notes":[]}','2026-11-22T14:00:00.000000Z');
INSERT INTO "receipt" VALUES('c-5','ddb44abe325472fa870388a748d738a9119440a29ec8608b359175efb202044b','{"revision":23,"changed":true,"events":[{"revision":23,"kind":"limit.changed"}],"hold_ids":[],"stop_id":null,"emergency_id":null,"durable":"database","remaining_holds":[],"notes":[]}','2026-11-22T14:00:00.000000Z');
INSERT INTO "receipt" VALUES('c-6','1bcf29e12964052942ac15c3d3b57a88d4c61daa872c7e8807f1c0fa04c5b223','{"revision":26,"changed":true,"events":[{"revision":24,"kind":"emergency.opened"},{"revision":25,"kind":"hold.placed"},{"revision":26,"kind":"stop.ordered"}],"hold_ids":["H-25"],"stop_id":"stop-1","emergency_id":"E-24","durable":"database","remaining_holds":[{"hold_id":"H-20","source":"operator","owner":"ana","selector":{"site":"s1"},"mode":"drain","reason":"\u00e8\u6f22\u0000","placed_at":"2026-11-22T14:00:00.000000Z","expires_at":null,"admit":0.0,"correlation_id":"c-3","revision":20,"overdue":false},{"hold_id":"H-22","source":"flag","owner":"ab_testing","selector":{"operation":"ab_testing"},"mode":"drain","reason":"","placed_at":"2026-11-22T14:00:00.000000Z","expires_at":null,"admit":0.0,"correlation_id":"c-4","revision":22,"overdue":false},{"hold_id":"H-25","source":"emergency","owner":"E-24","selector":{"site":"s1"},"mode":"drain","reason":"","placed_at":"2026-11-22T14:00:00.000000Z","expires_at":null,"admit":0.0,"correlation_id":"c-6","revision":25,"overdue":false}],"notes":[]}','2026-11-22T14:00:00.000000Z');
INSERT INTO "receipt" VALUES('c-7','6f3c0acab40fdb8ed053b6f92ada5e5921ef2ba7ba77301d05179f1b377b39de','{"revision":31,"changed":true,"events":[{"revision":27,"kind":"emergency.joined"},{"revision":28,"kind":"hold.placed"},{"revision":29,"kind":"stop.ordered"},{"revision":30,"kind":"hold.changed"},{"revision":31,"kind":"stop.escalated"}],"hold_ids":["H-28"],"stop_id":"stop-2","emergency_id":"E-24","durable":"database","remaining_holds":[{"hold_id":"H-20","source":"operator","owner":"ana","selector":{"site":"s1"},"mode":"drain","reason":"\u00e8\u6f22\u0000","placed_at":"2026-11-22T14:00:00.000000Z","expires_at":null,"admit":0.0,"correlation_id":"c-3","revision":20,"overdue":false},{"hold_id":"H-21","source":"operator","owner":"ana","selector":{"site":"s2"},"mode":"drain","reason":"\u00e8\u6f22\u0000","placed_at":"2026-11-22T14:00:00.000000Z","expires_at":null,"admit":0.0,"correlation_id":"c-3","revision":21,"overdue":false},{"hold_id":"H-22","source":"flag","owner":"ab_testing","selector":{"operation":"ab_testing"},"mode":"drain","reason":"","placed_at":"2026-11-22T14:00:00.000000Z","expires_at":null,"admit":0.0,"correlation_id":"c-4","revision":22,"overdue":false},{"hold_id":"H-28","source":"emergency","owner":"E-24","selector":{},"mode":"halt","reason":"","placed_at":"2026-11-22T14:00:00.000000Z","expires_at":null,"admit":0.0,"correlation_id":"c-6","revision":28,"overdue":false},{"hold_id":"H-25","source":"emergency","owner":"E-24","selector":{"site":"s1"},"mode":"halt","reason":"","placed_at":"2026-11-22T14:00:00.000000Z","expires_at":null,"admit":0.0,"correlation_id":"c-6","revision":30,"overdue":false}],"notes":[]}','2026-11-22T14:00:00.000000Z');
INSERT INTO "receipt" VALUES('c-8','695ce96b70c22ead169386dcd759366e5ea28d50e359aa52f9dfe75d14b22867','{"revision":32,"changed":true,"events":[{"revision":32,"kind":"stop.explained"}],"hold_ids":[],"stop_id":"stop-2","emergency_id":null,"durable":"database","remaining_holds":[],"notes":[]}','2026-11-22T14:00:00.000000Z');
INSERT INTO "receipt" VALUES('c-9','532acb8ad6c79bd90337204aed2bc3be19485f718b557d5a9a17f0f34abb95ab','{"revision":33,"changed":true,"events":[{"revision":33,"kind":"hold.released"}],"hold_ids":["H-21"],"stop_id":null,"emergency_id":null,"durable":"database","remaining_holds":[{"hold_id":"H-22","source":"flag","owner":"ab_testing","selector":{"operation":"ab_testing"},"mode":"drain","reason":"","placed_at":"2026-11-22T14:00:00.000000Z","expires_at":null,"admit":0.0,"correlation_id":"c-4","revision":22,"overdue":false},{"hold_id":"H-28","source":"emergency","owner":"E-24","selector":{},"mode":"halt","reason":"smoke in the hall","placed_at":"2026-11-22T14:00:00.000000Z","expires_at":null,"admit":0.0,"correlation_id":"c-6","revision":32,"overdue":false}],"notes":["H-21 was placed by operator ana"]}','2026-11-22T14:00:00.000000Z');
INSERT INTO "receipt" VALUES('c-10','373a8b9cdd0f1556204c26cda50a51bb14b9f90f8bcd961741f0c063e7959734','{"revision":34,"changed":true,"events":[{"revision":34,"kind":"name.removed"}],"hold_ids":[],"stop_id":null,"emergency_id":null,"durable":"database","remaining_holds":[],"notes":[]}','2026-11-22T14:00:00.000000Z');
INSERT INTO "receipt" VALUES('c-11','843d5af2af9e8d323fd159eecf45d79c0d38cf31af2b96d81f574ec31df771e3','{"revision":35,"changed":true,"events":[{"revision":35,"kind":"limit.changed"}],"hold_ids":[],"stop_id":null,"emergency_id":null,"durable":"database","remaining_holds":[],"notes":[]}','2026-11-22T14:00:00.000000Z');
CREATE TABLE sample (
	at_s FLOAT NOT NULL, 
	metric TEXT NOT NULL, 
	value FLOAT NOT NULL, 
	account TEXT, 
	labels TEXT NOT NULL, 
	source TEXT NOT NULL
);
CREATE TABLE schema_reader (
	id INTEGER NOT NULL, 
	oldest TEXT NOT NULL, 
	PRIMARY KEY (id), 
	CONSTRAINT one_reader CHECK (id = 1)
);
INSERT INTO "schema_reader" VALUES(1,'pre_0001');
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
CREATE INDEX sample_window ON sample (metric, at_s);
COMMIT;
