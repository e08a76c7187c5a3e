"""Where addresses lie: real cases of all provinces, each judged in the territory before the bar (blank: in none)."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quality.addresses import _judge, judge_address
from quality.counties import find_town, is_county
from quality.divisions import Place, cities_of, former_names, provinces
from quality.places import NO_PLACES, Division, PlateChange, TownRename, gather
from quality.renames import all_renamed
from quality.verdicts import Context

# region | as written | verdict | full address, = where it is as written | how it was understood
CASES = """
广东省佛山市|石湾区跃进路3号|repairable|广东省佛山市禅城区跃进路3号|R5-R:石湾区>禅城区(2002)
广东省佛山市|南海县桂城镇南海大道12号|repairable|广东省佛山市南海区桂城镇南海大道12号|R5-R:南海县>南海区(2002)
广东省佛山市|广东省南海市大沥镇振兴路12号|repairable|广东省佛山市南海区大沥镇振兴路12号|R5-R:南海市>南海区(2002)
广东省佛山市|顺德大良街道东乐路1号|repairable|广东省佛山市顺德区大良街道东乐路1号|V5
广东省佛山市|大良街道东乐路1号3座2单元501房|repairable|广东省佛山市顺德区大良街道东乐路1号3座2单元501房|V6-T:大良街道
广东省佛山市|佛山市顺德区大良街道办事处东乐路1号|repairable|广东省佛山市顺德区大良街道办事处东乐路1号|V5
广东省佛山市|桂城街道办南海大道北12号|repairable|广东省佛山市南海区桂城街道办南海大道北12号|V5-T:桂城街道
广东省佛山市|狮山镇北路12号|repairable|广东省佛山市狮山镇北路12号|P5
广东省佛山市|佛山市南海区狮山镇科技工业园兴业路5号|repairable|广东省佛山市南海区狮山镇科技工业园兴业路5号|V5
广东省佛山市|广东省佛山市南海區獅山鎮興業路5號|repairable|广东省佛山市南海区狮山镇兴业路5号|V5
广东省佛山市|广东省佛山市禅城区祖庙街道人民路12弄3号402室|valid|=|V6
广东省佛山市|佛山市高明区更合镇白石村三组12号|repairable|广东省佛山市高明区更合镇白石村三组12号|V5
广东省佛山市|佛山市三水区芦苞镇独树岗村委会一队7号|repairable|广东省佛山市三水区芦苞镇独树岗村委会一队7号|V5
广东省佛山市|佛山市禅城区张槎街道村头村东区三巷8号|repairable|广东省佛山市禅城区张槎街道村头村东区三巷8号|V5
广东省佛山市|广东省佛山市禅城区文昌路18号附2号|valid|=|V5
广东省佛山市|广东省佛山市禅城区文昌路18-2号|valid|=|V5
广东省佛山市|广东省佛山市禅城区文昌路18号之三|valid|=|V5
广东省佛山市|广东省佛山市禅城区华远东路45号2座1梯503|valid|=|V6
广东省佛山市|佛山市南海区里水镇里广路88号A栋12层1203室|repairable|广东省佛山市南海区里水镇里广路88号A栋12层1203室|V6
广东省佛山市|广东省佛山市顺德区北滘镇碧江社区德云路12号首层3号铺|valid|=|V6
广东省广州市|东山区东风东路733号|repairable|广东省广州市越秀区东风东路733号|R5-R:东山区>越秀区(2005)
广东省广州市|广州市芳村区花地大道中1号|repairable|广东省广州市荔湾区花地大道中1号|R5-R:芳村区>荔湾区(2005)
广东省广州市|番禺市市桥镇大北路1号|repairable|广东省广州市番禺区市桥镇大北路1号|R5-R:番禺市>番禺区(2000)
广东省广州市|萝岗区开创大道1号|repairable|广东省广州市黄埔区开创大道1号|R5-R:萝岗区>黄埔区(2014)
广东省广州市|花县新华镇建设路1号|repairable|广东省广州市花都区新华镇建设路1号|R5-R:花县>花都区(2000)
广东省深圳市|南山区科技园科苑路15号|repairable|广东省深圳市南山区科技园科苑路15号|V5
广东省深圳市|深圳市南山区粤海街道科苑路15号科兴科学园B栋3单元801|repairable|广东省深圳市南山区粤海街道科苑路15号科兴科学园B栋3单元801|V6
广东省东莞市|广东省东莞市南城街道鸿福路200号|valid|=|V5
广东省东莞市|长安镇长青南路1号|repairable|广东省东莞市长安镇长青南路1号|V5
广东省中山市|中山市东区街道中山三路1号|repairable|广东省中山市东区街道中山三路1号|V5
广东省中山市|石岐街道中山一路1号|repairable|广东省中山市石岐街道中山一路1号|V5
广东省中山市|中山一路1号|repairable|广东省中山市中山一路1号|V5
北京市|宣武区广安门内大街1号|repairable|北京市西城区广安门内大街1号|R5-R:宣武区>西城区(2010)
北京市|崇文区崇文门外大街1号|repairable|北京市东城区崇文门外大街1号|R5-R:崇文区>东城区(2010)
北京市|北京市朝阳区建国门外街道建国路88号院3号楼12层1501|valid|=|V6
北京市|通县张家湾镇人民路1号|repairable|北京市通州区张家湾镇人民路1号|R5-R:通县>通州区(1997)
北京市|东城区北京路1号|repairable|北京市东城区北京路1号|V5
上海市|闸北区天目西路1号|repairable|上海市静安区天目西路1号|R5-R:闸北区>静安区(2015)
上海市|卢湾区淮海中路1号|repairable|上海市黄浦区淮海中路1号|R5-R:卢湾区>黄浦区(2011)
上海市|上海市静安区南京西路1266号|valid|=|V5
上海市|南京东路1号|repairable|上海市南京东路1号|P5
上海市|浦东新区陆家嘴街道世纪大道100号|repairable|上海市浦东新区陆家嘴街道世纪大道100号|V5
天津市|塘沽区上海道1号|repairable|天津市滨海新区上海道1号|R5-R:塘沽区>滨海新区(2009)
天津市|天津市和平区南京路1号|valid|=|V5
重庆市|万盛区万东北路1号|repairable|重庆市綦江区万东北路1号|R5-R:万盛区>綦江区(2011)
重庆市|重庆市江北区建新北路1号|repairable|重庆市两江新区建新北路1号|R5-R:江北区>两江新区(2025)
重庆市|江津市几江街道1号|repairable|重庆市江津区几江街道1号|R5-R:江津市>江津区(2006)
江苏省南京市|白下区中山南路1号|repairable|江苏省南京市秦淮区中山南路1号|R5-R:白下区>秦淮区(2013)
江苏省南京市|下关区中山北路1号|repairable|江苏省南京市鼓楼区中山北路1号|R5-R:下关区>鼓楼区(2013)
江苏省南京市|江浦县珠江镇人民路1号|repairable|江苏省南京市浦口区珠江镇人民路1号|R5-R:江浦县>浦口区(2002)
江苏省南京市|大厂区葛关路1号|repairable|江苏省南京市六合区葛关路1号|R5-R:大厂区>六合区(2002)
江苏省南京市|上海路1号|repairable|江苏省南京市上海路1号|P5
江苏省南京市|北京东路1号|repairable|江苏省南京市北京东路1号|P5
江苏省苏州市|平江区人民路1号|repairable|江苏省苏州市姑苏区人民路1号|R5-R:平江区>姑苏区(2012)
江苏省苏州市|吴县市人民路1号|suspect|=|A5-A:吴县市>吴中区|相城区(2000)
江苏省苏州市|昆山市前进中路1号|repairable|江苏省苏州市昆山市前进中路1号|V5
江苏省苏州市|江苏省昆山市玉山镇前进中路1号|repairable|江苏省苏州市昆山市玉山镇前进中路1号|V5
江苏省无锡市|南长区清扬路1号|repairable|江苏省无锡市梁溪区清扬路1号|R5-R:南长区>梁溪区(2015)
江苏省无锡市|锡山市东亭镇人民路1号|suspect|=|A5-A:锡山市>锡山区|惠山区(2000)
江苏省淮安市|楚州区西长街1号|repairable|江苏省淮安市淮安区西长街1号|R5-R:楚州区>淮安区(2012)
江苏省淮安市|淮阴市清河区淮海路1号|repairable|江苏省淮安市清江浦区淮海路1号|R5-R:淮阴市>淮安市(2001)-R:清河区>清江浦区(2016)
江苏省扬州市|维扬区扬子江北路1号|repairable|江苏省扬州市邗江区扬子江北路1号|R5-R:维扬区>邗江区(2011)
浙江省杭州市|江干区凯旋路1号|suspect|=|A5-A:江干区>上城区|钱塘区(2021)
浙江省杭州市|余杭市临平镇人民大道1号|suspect|=|A5-A:余杭市>余杭区|临平区(2021)
浙江省宁波市|江东区中山东路1号|repairable|浙江省宁波市鄞州区中山东路1号|R5-R:江东区>鄞州区(2016)
浙江省宁波市|鄞县鄞江镇人民路1号|repairable|浙江省宁波市海曙区鄞江镇人民路1号|R5-R:鄞县>鄞州区(2002)-T:鄞江镇
浙江省绍兴市|绍兴县柯桥街道1号|repairable|浙江省绍兴市柯桥区柯桥街道1号|R5-R:绍兴县>柯桥区(2013)
浙江省绍兴市|浙江省绍兴市柯桥区柯桥街道湖中路1号|valid|=|V5
安徽省芜湖市|芜湖县湾沚镇人民路1号|repairable|安徽省芜湖市湾沚区湾沚镇人民路1号|R5-R:芜湖县>湾沚区(2020)
安徽省合肥市|居巢区人民路1号|repairable|安徽省合肥市巢湖市人民路1号|R5-R:居巢区>巢湖市(2011)
安徽省合肥市|合肥市巢湖市人民路1号|repairable|安徽省合肥市巢湖市人民路1号|V5
福建省厦门市|开元区厦禾路1号|repairable|福建省厦门市思明区厦禾路1号|R5-R:开元区>思明区(2003)
福建省厦门市|杏林区杏林路1号|suspect|=|A5-A:杏林区>海沧区|集美区(2003)
福建省福州市|福建省福州市鼓楼区五四路1号|valid|=|V5
江西省九江市|庐山区长虹大道1号|repairable|江西省九江市濂溪区长虹大道1号|R5-R:庐山区>濂溪区(2016)
江西省九江市|星子县南康镇紫阳大道1号|repairable|江西省九江市庐山市南康镇紫阳大道1号|R5-R:星子县>庐山市(2016)
山东省济南市|莱城区鲁中西大街1号|repairable|山东省济南市莱芜区鲁中西大街1号|R5-R:莱城区>莱芜区(2018)
山东省青岛市|四方区杭州路1号|repairable|山东省青岛市市北区杭州路1号|R5-R:四方区>市北区(2012)
山东省青岛市|市北区台东一路1号|repairable|山东省青岛市市北区台东一路1号|V5
河南省开封市|金明区金明大道1号|repairable|河南省开封市龙亭区金明大道1号|R5-R:金明区>龙亭区(2014)
河南省洛阳市|洛阳市吉利区中原路1号|repairable|河南省洛阳市孟津区中原路1号|R5-R:吉利区>孟津区(2021)
湖北省襄阳市|襄樊市襄城区荆州街1号|repairable|湖北省襄阳市襄城区荆州街1号|R5-R:襄樊市>襄阳市(2010)
湖北省襄阳市|襄阳县张湾镇1号|repairable|湖北省襄阳市襄州区张湾镇1号|R5-R:襄阳县>襄州区(2010)
湖北省武汉市|武昌区中山路1号|repairable|湖北省武汉市武昌区中山路1号|V5
湖南省长沙市|望城县高塘岭镇郭亮路1号|repairable|湖南省长沙市望城区高塘岭镇郭亮路1号|R5-R:望城县>望城区(2011)
湖南省株洲市|株洲县渌口镇1号|repairable|湖南省株洲市渌口区渌口镇1号|R5-R:株洲县>渌口区(2018)
四川省成都市|郫县望丛中路1号|repairable|四川省成都市郫都区望丛中路1号|R5-R:郫县>郫都区(2016)
四川省成都市|四川省郫县郫筒镇望丛中路1号|repairable|四川省成都市郫都区郫筒镇望丛中路1号|R5-R:郫县>郫都区(2016)
四川省成都市|双流县东升街道棠湖南路1号|repairable|四川省成都市双流区东升街道棠湖南路1号|R5-R:双流县>双流区(2015)
四川省成都市|资阳市简阳市射洪坝街道1号|repairable|四川省成都市简阳市射洪坝街道1号|R5-R:资阳市简阳市>成都市简阳市(2016)
四川省宜宾市|宜宾县柏溪镇1号|repairable|四川省宜宾市叙州区柏溪镇1号|R5-R:宜宾县>叙州区(2018)
贵州省遵义市|遵义县南白镇1号|repairable|贵州省遵义市播州区南白镇1号|R5-R:遵义县>播州区(2016)
云南省普洱市|思茅市翠云区人民中路1号|repairable|云南省普洱市思茅区人民中路1号|R5-R:思茅市>普洱市(2007)-R:翠云区>思茅区(2007)
云南省昆明市|呈贡县龙城街道1号|repairable|云南省昆明市呈贡区龙城街道1号|R5-R:呈贡县>呈贡区(2011)
陕西省西安市|长安县韦曲镇1号|repairable|陕西省西安市长安区韦曲镇1号|R5-R:长安县>长安区(2002)
陕西省西安市|户县人民路1号|repairable|陕西省西安市鄠邑区人民路1号|R5-R:户县>鄠邑区(2016)
陕西省西安市|陕西省西安市新城区解放路1号|valid|=|V5
河北省石家庄市|桥东区中山东路1号|suspect|=|A5-A:桥东区>长安区|桥西区(2014)
河北省邢台市|桥东区中兴东大街1号|repairable|河北省邢台市襄都区中兴东大街1号|R5-R:桥东区>襄都区(2020)
河北省邢台市|邢台市桥西区中兴西大街1号|repairable|河北省邢台市信都区中兴西大街1号|R5-R:桥西区>信都区(2020)
河北省张家口市|桥东区胜利路1号|repairable|河北省张家口市桥东区胜利路1号|V5
辽宁省沈阳市|东陵区文化东路1号|repairable|辽宁省沈阳市浑南区文化东路1号|R5-R:东陵区>浑南区(2014)
辽宁省朝阳市|双塔区朝阳大街1号|repairable|辽宁省朝阳市双塔区朝阳大街1号|V5
辽宁省朝阳市|朝阳县柳城街道1号|repairable|辽宁省朝阳市朝阳县柳城街道1号|V5
吉林省吉林市|吉林市昌邑区吉林大街1号|repairable|吉林省吉林市昌邑区吉林大街1号|V5
吉林省长春市|公主岭市公主岭大街1号|repairable|吉林省长春市公主岭市公主岭大街1号|V5
黑龙江省哈尔滨市|动力区文政街1号|repairable|黑龙江省哈尔滨市香坊区文政街1号|R5-R:动力区>香坊区(2006)
内蒙古自治区鄂尔多斯市|伊克昭盟东胜市鄂尔多斯东街1号|repairable|内蒙古自治区鄂尔多斯市东胜区鄂尔多斯东街1号|R5-R:伊克昭盟>鄂尔多斯市(2001)-R:东胜市>东胜区(2001)
广西壮族自治区南宁市|横县横州镇1号|repairable|广西壮族自治区南宁市横州市横州镇1号|R5-R:横县>横州市(2021)
海南省|海南省琼中黎族苗族自治县营根镇海榆路1号|valid|=|V5
海南省海口市|海口市龙华区海秀中路1号|repairable|海南省海口市龙华区海秀中路1号|V5
西藏自治区昌都市|昌都地区卡若区1号|invalid||R2-R:昌都地区>昌都市(2014)
新疆维吾尔自治区乌鲁木齐市|米泉市人民路1号|repairable|新疆维吾尔自治区乌鲁木齐市米东区人民路1号|R5-R:米泉市>米东区(2007)
新疆维吾尔自治区|石河子市东城街道北四路1号|repairable|新疆维吾尔自治区石河子市东城街道北四路1号|V5
湖北省|仙桃市沙嘴街道黄金大道1号|repairable|湖北省仙桃市沙嘴街道黄金大道1号|V5
|朝阳区建国路88号|suspect|=|A5-A:county
|鼓楼区中山路1号|suspect|=|A5-A:county
|越秀区北京路1号|repairable|广东省广州市越秀区北京路1号|V5
|广州市北京路1号|repairable|广东省广州市北京路1号|P5
|湖北省襄樊市樊城区长虹路1号|repairable|湖北省襄阳市樊城区长虹路1号|R5-R:襄樊市>襄阳市(2010)
|淮阴市清浦区人民路1号|repairable|江苏省淮安市清江浦区人民路1号|R5-R:淮阴市>淮安市(2001)-R:清浦区>清江浦区(2016)
|四平市公主岭市人民路1号|repairable|吉林省长春市公主岭市人民路1号|R5-R:四平市公主岭市>长春市公主岭市(2020)
|广东省佛山市顺德市大良镇东乐路1号|repairable|广东省佛山市顺德区大良镇东乐路1号|R5-R:顺德市>顺德区(2002)
|深圳市朝阳区人民路1号|suspect|=|C5-C:county
|湖南省天河区中山大道1号|suspect|=|C5-C:county
|北京市海淀区中关村大街1号_邮编100080|repairable|北京市海淀区中关村大街1号|V5
|北京市海淀区中关村大街1号_邮编510000|suspect|510000北京市海淀区中关村大街1号|C5-C:postcode
广东省佛山市|禅城区汾江南路18号_邮编_100000|suspect|100000广东省佛山市禅城区汾江南路18号|C5-C:postcode
广东省佛山市|海淀区中关村大街1号|suspect|北京市海淀区中关村大街1号|V5-O
广东省佛山市|东城区人民路1号|suspect|北京市东城区人民路1号|V5-O
广东省佛山市|高新区科技路3号|repairable|广东省佛山市高新区科技路3号|P5-Z
广东省佛山市|南沙区港前大道1号|suspect|广东省广州市南沙区港前大道1号|V5-O
广东省佛山市|佛山市南沙区港前大道1号|suspect|=|C5-C:county
广东省佛山市|江南区12栋502|invalid||V2-O
广东省佛山市|昆山花园3栋502|repairable|广东省佛山市昆山花园3栋502|P6
广东省佛山市|中山公园路3号|repairable|广东省佛山市中山公园路3号|P5
广东省佛山市|鼓楼区花园3栋502|repairable|广东省佛山市鼓楼区花园3栋502|P6
广东省佛山市|南海区路1号|repairable|广东省佛山市南海区路1号|P5
广东省佛山市|广东佛山南海大沥镇振兴路12号|repairable|广东省佛山市南海区大沥镇振兴路12号|V5
广东省佛山市|湖南长沙芙蓉中路1号|suspect|湖南省长沙市芙蓉中路1号|P5-O
天津市|河北区中山路1号|repairable|天津市河北区中山路1号|V5
内蒙古自治区乌海市|海南区拉僧庙镇1号街2号|repairable|内蒙古自治区乌海市海南区拉僧庙镇1号街2号|P6
青海省黄南藏族自治州|河南蒙古族自治县优干宁镇泽曲路1号|repairable|青海省黄南藏族自治州河南蒙古族自治县优干宁镇泽曲路1号|V5
四川省乐山市|市中区嘉定中路1号|repairable|四川省乐山市市中区嘉定中路1号|V5
江苏省南通市|通州区金沙街道人民路1号|repairable|江苏省南通市通州区金沙街道人民路1号|V5
|通州区人民路1号|suspect|=|A5-A:county
广东省佛山市禅城区|桂城街道南海大道北1号|repairable|广东省佛山市南海区桂城街道南海大道北1号|V5-T:桂城街道
广东省深圳市|大鹏新区葵涌街道金岭路1号|repairable|广东省深圳市大鹏新区葵涌街道金岭路1号|P5-Z
湖南省湘西土家族苗族自治州|湘西州吉首市人民北路1号|repairable|湖南省湘西土家族苗族自治州吉首市人民北路1号|V5
浙江省温州市|龙港市人民路1号|repairable|浙江省温州市龙港市人民路1号|V5
广东省佛山市|禅城区街道12号|repairable|广东省佛山市禅城区街道12号|P5
"""


@pytest.mark.parametrize("row", CASES.split())
def test_place_is_found_by_territory_and_names_of_today(row: str) -> None:
    region, text, verdict, value, code = row.split("|", 4)
    found = judge_address(text.replace("_", " "), _column(region), Context(region=region))
    assert (found.verdict, found.value, found.code) == (verdict, text if value == "=" else value, code)


@pytest.mark.parametrize("row", CASES.split())
def test_full_address_is_judged_valid_again(row: str) -> None:
    region, _text, verdict, value, _code = row.split("|", 4)
    if verdict == "repairable":
        again = judge_address(value, _column(region), Context(region=region))
        assert (again.verdict, again.value) == ("valid", value)


def _column(region: str) -> str:
    return "supply_address" if region else "postal_address"


def test_former_names_lead_to_places_of_today() -> None:
    names = list(all_renamed())
    assert len(names) > 400
    assert all(is_county(place) for one in names for place in one.places)
    assert not any(is_county(Place(*one.places[0][:2], one.old)) for one in names)


def test_former_cities_lead_to_cities_of_today() -> None:
    cities = {city for province in provinces() for city in cities_of(province)}
    former = {old for city in cities for old, _since in former_names(city)}
    assert len(former) > 50
    assert not former & cities


def test_towns_of_every_province_are_there() -> None:
    assert find_town("桂城街道南海大道", "广东省").places[0].province == "广东省"  # type: ignore[union-attr]
    assert find_town("桂城街道南海大道", "湖南省") is None
    assert find_town("桂城街道南海大道", "台湾省") is None


NEW_COUNTY = Place("广东省", "佛山市", "云东新区")
OWN = gather(
    divisions=[Division(NEW_COUNTY), Division(NEW_COUNTY, "云水街道")],
    renames=[(NEW_COUNTY, "云东县", 2026)],
    town_renames=[TownRename(Place("广东省", "佛山市", "南海区"), "桂城镇", "桂城街道", 2003)],
    plates=[
        PlateChange(("汾江南路", "18号"), ("汾江南路", "36号"), date(2020, 5, 1)),
        PlateChange(("永安路", "3号"), ("永安路", "5号"), date(2020, 5, 1)),
        PlateChange(("永安路", "5号"), ("永安路", "7号"), date(2020, 5, 1)),
        PlateChange(("石湾村", "12号"), ("跃进路", "120号"), date(2021, 5, 1)),
        PlateChange(("跃进路", "120号"), ("跃进大道", "20号"), date(2023, 5, 1)),
    ],
)  # fmt: skip
HERE = Context(region="广东省佛山市", places=OWN)


@pytest.mark.parametrize(
    ("text", "value", "code"),
    [
        ("云水街道人民路1号", "广东省佛山市云东新区云水街道人民路1号", "V5-T:云水街道"),
        ("云东县人民路1号", "广东省佛山市云东新区人民路1号", "R5-R:云东县>云东新区(2026)"),
        ("桂城镇南海大道1号", "广东省佛山市南海区桂城街道南海大道1号", "R5-R:桂城镇>桂城街道(2003)"),
        ("禅城区汾江南路18号", "广东省佛山市禅城区汾江南路36号", "R5-R:汾江南路18号>汾江南路36号(2020-05-01)"),
        ("禅城区汾江南路１８号", "广东省佛山市禅城区汾江南路36号", "R5-R:汾江南路18号>汾江南路36号(2020-05-01)"),
        ("禅城区汾江南路18号之二", "广东省佛山市禅城区汾江南路18号之二", "V5"),
        ("禅城区永安路3号", "广东省佛山市禅城区永安路5号", "R5-R:永安路3号>永安路5号(2020-05-01)"),
        ("禅城区永安路5号", "广东省佛山市禅城区永安路5号", "V5"),
        ("禅城区石湾村12号", "广东省佛山市禅城区跃进大道20号", "R5-R:石湾村12号>跃进大道20号(2023-05-01)"),
        ("禅城区石湾村12号3栋502", "广东省佛山市禅城区跃进大道20号3栋502", "R6-R:石湾村12号>跃进大道20号(2023-05-01)"),
    ],
)
def test_own_places_go_before_the_tables(text: str, value: str, code: str) -> None:
    found = judge_address(text, "supply_address", HERE)
    assert (found.verdict, found.value, found.code) == ("repairable", value, code)
    assert judge_address(value, "supply_address", HERE)[:3:2] == ("valid", (value,))


# One of each row makes an address, sensible or not.
PARTS = [
    row.split(" ")
    for row in (
        " 广东省 广东 广东省佛山市 佛山市 佛山 湖南 杭州 北京市 吉林市 吉林 湖北省襄樊市 四平市 528000 100000广东省",
        " 禅城区 南海市 顺德 石湾区 江干区 朝阳区 鼓楼区 新城区 高新区 公主岭市 东区 云东县 昆山市 莱芜市莱城区",
        "  桂城街道 桂城街道办事处 云水街道 石湾镇 南庄镇 桂城镇 下沙街道 东区街道 长安镇 城关镇",
        " 汾江南路 永安路 中山路 石湾村 石湾村三组 人民路12弄 南街三巷 325国道 跃进路 城南小区 府前路 北路 广场",
        " 18号 3号 5号 12号 18号之二 18-2号 甲18号 120号 88号院 十八号 １８号 18號",
        " 3栋502 B座1203 3-2-502 首层3号铺 对面 ；人民路3号 邮编528000 邮编100000 13923112345 (农行旁) 502 /A",
    )
]


@pytest.mark.slow
@given(
    words=st.tuples(*map(st.sampled_from, PARTS)),
    column=st.sampled_from(["supply_address", "postal_address"]),
    region=st.sampled_from(["广东省佛山市", "浙江省杭州市", "北京市", "吉林省吉林市", "广东省", ""]),
)
@settings(max_examples=200)
def test_any_address_is_judged_once_for_all_its_digits(words: tuple[str, ...], column: str, region: str) -> None:
    text = "".join(words)
    for places in (NO_PLACES, OWN):
        found = judge_address(text, column, Context(region=region, places=places))
        assert found == _judge(text, column, region, places)
        for value in found.values:
            again = judge_address(value, column, Context(region=region, places=places))
            assert again.value == value
            assert again.verdict == ("suspect" if found.verdict == "suspect" else "valid")
